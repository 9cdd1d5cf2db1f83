"""Kinds of packages, by their package URL's type: what Inspector calls them, who scans them, how they are named. Pure.

Sources: Inspector2 model, `PackageManager`; package-url's type definitions; ECR user guide, "Image scanning": basic
scanning looks at packages of the operating system, enhanced scanning at those and at packages of languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from packageurl import PackageURL

from gate.scan.statuses import Mode

OS_TYPES = frozenset({"deb", "rpm", "apk"})
_PYTHON, _NODE, _RUBY, _NET = (frozenset({kind}) for kind in ("pypi", "npm", "gem", "nuget"))
_GO, _JAVA, _RUST, _PHP = (frozenset({kind}) for kind in ("golang", "maven", "cargo", "composer"))

MANAGERS: Mapping[str, frozenset[str]] = {
    "OS": OS_TYPES,
    "PYTHON": _PYTHON,
    "PYTHONPKG": _PYTHON,
    "PIP": _PYTHON,
    "PIPENV": _PYTHON,
    "POETRY": _PYTHON,
    "NPM": _NODE,
    "NODEPKG": _NODE,
    "YARN": _NODE,
    "BUNDLER": _RUBY,
    "GEMSPEC": _RUBY,
    "NUGET": _NET,
    "DOTNET_CORE": _NET,
    "GOBINARY": _GO,
    "GOMOD": _GO,
    "JAR": _JAVA,
    "POM": _JAVA,
    "CARGO": _RUST,
    "COMPOSER": _PHP,
}
# Seen in findings, and in no model: a program that Inspector knows by itself, whatever brought it into the image.
NO_MANAGER = "GENERIC"
SEEN: Mapping[Mode, frozenset[str]] = {
    Mode.BASIC: OS_TYPES,
    Mode.ENHANCED: OS_TYPES.union(*MANAGERS.values()),
}
# Types whose namespace (a distribution, a vendor) a scanner does not report with the name.
_BARE = OS_TYPES | {"pypi", "generic"}
_ANY_CASE = frozenset({"nuget", "composer"})


def may_be(manager: str, kind: str) -> bool:
    """Whether a package that a scanner reports with this manager can be of this type; one unheard of is of none."""
    word = manager.upper()
    return word in {"", NO_MANAGER} or kind in MANAGERS.get(word, frozenset())


def canonical(name: str) -> str:
    """A Python project's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def same_name(kind: str, one: str, other: str) -> bool:
    """Whether two names are of one package of this type ("" when the type is not known)."""
    if kind == "pypi":
        return canonical(one) == canonical(other)
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
