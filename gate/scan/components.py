"""The components of an image, and their kinds by the package URL's type. Pure.

A kind says what Inspector calls its package managers, which scanning sees it, and how names and versions compare.
Sources: Inspector2 model, `PackageManager`; package-url's type definitions; ECR user guide, "Image scanning": basic
scanning looks at packages of the operating system, enhanced scanning at those and at packages of languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from gate.scan.statuses import Mode

OS_TYPES = frozenset({"deb", "rpm", "apk"})
_LANGUAGE_MANAGERS = {
    "pypi": ("PYTHON", "PYTHONPKG", "PIP", "PIPENV", "POETRY"),
    "npm": ("NPM", "NODEPKG", "YARN"),
    "gem": ("BUNDLER", "GEMSPEC"),
    "nuget": ("NUGET", "DOTNET_CORE"),
    "golang": ("GOBINARY", "GOMOD"),
    "maven": ("JAR", "POM"),
    "cargo": ("CARGO",),
    "composer": ("COMPOSER",),
}
MANAGERS: Mapping[str, frozenset[str]] = {
    "OS": OS_TYPES,
    **{manager: frozenset({kind}) for kind, managers in _LANGUAGE_MANAGERS.items() for manager in managers},
}
# Seen in findings, and in no model: a program that Inspector knows by itself, whatever brought it into the image.
NO_MANAGER = "GENERIC"
SEEN: Mapping[Mode, frozenset[str]] = {
    Mode.BASIC: OS_TYPES,
    Mode.ENHANCED: OS_TYPES.union(_LANGUAGE_MANAGERS),
}
# Types whose namespace (a distribution, a vendor) a scanner does not report with the name.
_BARE = OS_TYPES | {"pypi", "generic"}
_ANY_CASE = frozenset({"nuget", "composer"})


@dataclass(frozen=True)
class Component:
    """One component of an SBOM.

    Attributes:
        name: as the SBOM names it.
        version: "" when it is not known.
        purl: "" when it has none.
        type: the purl's type, such as deb, rpm, pypi, generic ("" without a purl).
        paths: the files that prove it, as far as the SBOM names them.
    """

    name: str
    version: str
    purl: str
    type: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequiredComponent:
    """A component that the scanner must cover, or the register names as not covered.

    Attributes:
        title: as a person calls it.
        type: the type of its purl.
        name: the name in its purl.
        version: "" when it is not known.
        packages: names of operating-system packages that are this component.
        aliases: names under which an SBOM lists it when it comes from no such package.
        paths: where it was found, if that is known.
        required: whether the release asks for it; else only the SBOM lists it.
        why: why the scanner does not cover it ("" where it does, or nobody has looked).
    """

    title: str
    type: str
    name: str
    version: str = ""
    packages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    required: bool = True
    why: str = ""

    @property
    def purl(self) -> str:
        """The package URL under which it is registered."""
        namespace, _, name = self.name.rpartition("/")
        return PackageURL(self.type, namespace or None, name, self.version or None).to_string()

    def is_listed_as(self, component: Component) -> bool:
        """Whether an SBOM's component is this one."""
        if self.type == "pypi":
            return component.type == "pypi" and canonicalize_name(component.name) == self.name
        names = {self.name, *self.aliases, *self.packages}
        return component.type in {*OS_TYPES, "generic", ""} and component.name.lower() in names


def may_be(manager: str, kind: str) -> bool:
    """Whether a package that a scanner reports with this manager can be of this type; with an unknown one, no."""
    word = manager.upper()
    return word in {"", NO_MANAGER} or kind in MANAGERS.get(word, frozenset())


def same_name(kind: str, one: str, other: str) -> bool:
    """Whether two names are of one package of this type ("" when the type is not known)."""
    if kind == "pypi":
        return canonicalize_name(one) == canonicalize_name(other)
    if kind == "maven":  # group and artifact: a package URL parts them by a slash, Java's tools by a colon
        one, other = one.replace(":", "/"), other.replace(":", "/")
    return one.lower() == other.lower() if kind in _ANY_CASE else one == other


def full_name(purl: PackageURL) -> str:
    """The name that a scanner reports for a package URL."""
    return purl.name if purl.type in _BARE or not purl.namespace else f"{purl.namespace}/{purl.name}"


def same_version(kind: str, one: str, other: str) -> bool:
    """Whether two exact versions are the same: an epoch of 0 and Go's v may be left out."""
    one, other = one.removeprefix("0:"), other.removeprefix("0:")
    return one.removeprefix("v") == other.removeprefix("v") if kind == "golang" else one == other
