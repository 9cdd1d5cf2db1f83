"""What the scanner can see of the image, held against its SBOM. Pure.

A scan that finds nothing proves something only about what it looked at. Basic scanning looks at the packages of
the operating system; enhanced scanning at those and at Python packages. Neither sees a Chrome unpacked from a zip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gate.judgement import ACCEPTED, Judgement, Rejection, judge, reject
from gate.scan.findings import ScanReport
from gate.scan.register.entries import Register, Unseen, canonical
from gate.scan.statuses import Mode

_OS_TYPES = frozenset({"deb", "rpm", "apk"})
_SEEN: Mapping[Mode, frozenset[str]] = {Mode.BASIC: _OS_TYPES, Mode.ENHANCED: _OS_TYPES | {"pypi"}}


@dataclass(frozen=True)
class Component:
    """One component of an SBOM.

    Attributes:
        name: as the SBOM names it.
        version: "" when it is not known.
        purl: "" when it has none.
        type: the purl's type, such as deb, rpm, pypi, generic ("" without a purl).
    """

    name: str
    version: str
    purl: str
    type: str


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
    """

    title: str
    type: str
    name: str
    version: str = ""
    packages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """The package URL under which it is registered."""
        return f"pkg:{self.type}/{self.name}" + (f"@{self.version}" if self.version else "")


@dataclass(frozen=True)
class Gap:
    """A watched component that the scanner does not see, and why."""

    component: Watched
    why: str


@dataclass(frozen=True)
class Sight:
    """What of an image the scanner sees.

    Attributes:
        mode: the kind of scanning.
        covered: components that it looks at.
        uncovered: components that it does not look at.
        gaps: the watched ones that are not covered.
    """

    mode: Mode
    covered: tuple[Component, ...]
    uncovered: tuple[Component, ...]
    gaps: tuple[Gap, ...]


def watch(
    python: str, requirements: Mapping[str, str], *, chrome: str = "", chromedriver: str = "", python_full: str = ""
) -> tuple[Watched, ...]:
    """Chrome, Chromedriver, Python and the pinned requirements.

    Args:
        python: major.minor of the Python that the function runs on.
        requirements: the pinned requirements, name to version.
        chrome: Chrome's version, if known.
        chromedriver: Chromedriver's version, if known.
        python_full: the interpreter's full version, if known.
    """
    return (
        Watched(
            "Chrome",
            "generic",
            "chrome",
            chrome,
            ("chromium", "google-chrome-stable"),
            ("chrome", "google-chrome", "chrome-for-testing"),
        ),
        Watched("Chromedriver", "generic", "chromedriver", chromedriver, ("chromium-driver", "chromedriver"), ()),
        Watched(
            "Python", "generic", "python", python_full, (f"python{python}", f"python{python}-minimal"), ("python",)
        ),
        *(Watched(name, "pypi", canonical(name), version) for name, version in sorted(requirements.items())),
    )


def sight(components: tuple[Component, ...], mode: Mode, watched: tuple[Watched, ...]) -> Sight:
    """Divide an image's components into what the scanner sees and what it does not."""
    seen = _SEEN[mode]
    covered = tuple(c for c in components if c.type in seen and c.version)
    uncovered = tuple(c for c in components if not (c.type in seen and c.version))
    gaps = (Gap(each, why) for each in watched if (why := _gap(each, covered, uncovered, mode)))
    return Sight(mode, covered, uncovered, tuple(gaps))


def _gap(each: Watched, covered: tuple[Component, ...], uncovered: tuple[Component, ...], mode: Mode) -> str:
    """Why a watched component is not covered ("" when it is)."""
    if each.type == "pypi":
        listed = any(c.type == "pypi" and canonical(c.name) == each.name for c in covered)
        return "" if listed else f"{mode.value.lower()} scanning does not look at this Python package"
    # A second copy beside a packaged one would be the one nobody looks at.
    if any(c.name.lower() in {each.name, *each.aliases} and c.type not in _OS_TYPES for c in uncovered):
        return "the image holds a copy that comes from no package of the operating system"
    packaged = any(c.type in _OS_TYPES and c.name in each.packages for c in covered)
    return "" if packaged else "no package of the operating system is this component"


def entry_for(gap: Gap, register: Register, target: str, mode: Mode) -> Unseen | None:
    """The coverage entry that is about a gap, in force or not."""
    return next((e for e in register.coverage if e.stands_for(target, mode) and _is_about(e, gap.component)), None)


def _is_about(entry: Unseen, component: Watched) -> bool:
    name = canonical(entry.name) if entry.type == "pypi" else entry.name
    same = (entry.type, name) == (component.type, component.name)
    return same and entry.version in {"", component.version}


def _known_bad_gaps() -> tuple[tuple[Gap, ...], Register, str, Mode, date]:
    empty = Register("exceptions.yaml", (), (), (), ())
    return (Gap(Watched("Chrome", "generic", "chrome"), "from a zip"),), empty, "aws", Mode.BASIC, date(2026, 1, 2)


@judge(9, known_bad=_known_bad_gaps)
def gaps_registered(gaps: tuple[Gap, ...], register: Register, target: str, mode: Mode, today: date) -> Judgement:
    """Each watched component that the scanner does not see has a coverage entry in force."""
    return Judgement.of(
        rejection for gap in gaps if (rejection := _unregistered(gap, register, target, mode, today)) is not None
    )


def _unregistered(gap: Gap, register: Register, target: str, mode: Mode, today: date) -> Rejection | None:
    entry = entry_for(gap, register, target, mode)
    named = f"{gap.component.title} ({gap.component.purl})"
    if entry is None:
        return Rejection(
            f"The scanner does not see {named}, and the register does not say what is done instead: {gap.why}",
            where=f"{register.source}, coverage",
            remedy="add a coverage entry: purl, target, scanning, reason, check, expires",
        )
    if entry.expires < today:
        return Rejection(
            f"The coverage entry for {named} expired on {entry.expires}",
            where=register.where(entry.line),
            remedy="make the compensating check again and set a new date, or have the component scanned",
        )
    return None


def _known_bad_sight() -> tuple[ScanReport, Sight]:
    night = datetime(2026, 1, 2, tzinfo=UTC)
    blind = Component("chrome", "130.0", "pkg:generic/chrome@130.0", "generic")
    report = ScanReport("sha256:judged", "", Mode.BASIC, "COMPLETE", night, night, (), (), 1, night, "rescanned")
    return report, Sight(Mode.BASIC, (), (blind,), ())


@judge(7, known_bad=_known_bad_sight)
def something_seen(report: ScanReport, seen: Sight) -> Judgement:
    """A scan without findings looked at something: at least one package of the image is covered."""
    if report.findings or seen.covered:
        return ACCEPTED
    return reject(
        f"The scan found nothing, but looks at none of the image's {len(seen.uncovered)} components: it proves nothing",
        where=f"{report.digest}, {seen.mode.value.lower()} scanning",
        remedy="build on a base whose package database is in the image, or use a scanner that sees these components",
    )
