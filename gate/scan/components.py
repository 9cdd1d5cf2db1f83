"""What an image consists of: the components of its SBOM, and those that are looked for by name. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from packageurl import PackageURL

from gate.scan.ecosystems import OS_TYPES, canonical


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
class Watched:
    """A component that must be seen by the scanner, or be registered as not seen.

    Attributes:
        title: as a person calls it.
        type: the type of its purl.
        name: the name in its purl.
        version: "" when it is not known.
        packages: names of operating-system packages that are this component.
        aliases: names under which an SBOM lists it when it comes from no such package.
        paths: where it was found, if that is known.
    """

    title: str
    type: str
    name: str
    version: str = ""
    packages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """The package URL under which it is registered."""
        namespace, _, name = self.name.rpartition("/")
        return PackageURL(self.type, namespace or None, name, self.version or None).to_string()

    def is_listed_as(self, component: Component) -> bool:
        """Whether an SBOM's component is this one."""
        if self.type == "pypi":
            return component.type == "pypi" and canonical(component.name) == self.name
        return component.type in {*OS_TYPES, "generic", ""} and component.name.lower() in {
            self.name,
            *self.aliases,
            *self.packages,
        }
