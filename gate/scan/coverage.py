"""What the scanner can see of the image, held against its SBOM. Pure.

A scan that finds nothing proves something only about what it looked at. Basic scanning looks at the packages of
the operating system; enhanced scanning at those and at packages of languages. Neither sees a Chrome unpacked from a
zip. What is in the image counts, whoever asked for it: each component of the SBOM is seen, or registered as not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from packageurl import PackageURL

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.scan.components import Component, Watched
from gate.scan.ecosystems import OS_TYPES, SEEN, canonical, full_name
from gate.scan.findings import ScanReport
from gate.scan.register.entries import Register, Unseen
from gate.scan.register.suggestion import ready_coverage
from gate.scan.statuses import Mode

# More components of one kind than this are told together.
_APART = 3
_NAMED = 10


@dataclass(frozen=True)
class Gap:
    """A component that the scanner does not see, and why.

    Attributes:
        watched: whether it is looked for by name; else the SBOM alone lists it.
    """

    component: Watched
    why: str
    watched: bool = True


@dataclass(frozen=True)
class Sight:
    """What of an image the scanner sees.

    Attributes:
        mode: the kind of scanning.
        covered: components that it looks at.
        uncovered: components that it does not look at.
        gaps: what has to be registered: the watched ones that are not covered, and every other uncovered component.
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
    seen = SEEN[mode]
    covered = tuple(c for c in components if c.type in seen and c.version)
    uncovered = tuple(c for c in components if not (c.type in seen and c.version))
    gaps = (Gap(each, why) for each in watched if (why := _gap(each, covered, uncovered, mode)))
    return Sight(mode, covered, uncovered, (*gaps, *_others(uncovered, mode, watched)))


def _gap(each: Watched, covered: tuple[Component, ...], uncovered: tuple[Component, ...], mode: Mode) -> str:
    """Why a watched component is not covered ("" when it is)."""
    if each.type == "pypi":
        listed = any(c.type == "pypi" and canonical(c.name) == each.name for c in covered)
        return "" if listed else f"{mode.value.lower()} scanning does not look at this Python package"
    # A second copy beside a packaged one would be the one nobody looks at.
    if any(c.name.lower() in {each.name, *each.aliases} and c.type not in OS_TYPES for c in uncovered):
        return "the image holds a copy that comes from no package of the operating system"
    packaged = any(c.type in OS_TYPES and c.name in each.packages for c in covered)
    return "" if packaged else "no package of the operating system is this component"


def _others(uncovered: tuple[Component, ...], mode: Mode, watched: tuple[Watched, ...]) -> Iterator[Gap]:
    """A gap for each uncovered component that is not watched by name; the same package in many places is one."""
    places: dict[tuple[str, str, str], set[str]] = {}
    for each in uncovered:
        if not any(one.is_listed_as(each) for one in watched):
            kind, name = _named(each)
            places.setdefault((kind, name, each.version), set()).update(each.paths)
    for (kind, name, version), paths in places.items():
        why = f"{mode.value.lower()} scanning does not look at it" if version else "its version is not known"
        yield Gap(Watched(name, kind, name, version, paths=tuple(sorted(paths))), why, watched=False)


def _named(component: Component) -> tuple[str, str]:
    """The type and name under which a component is registered; without a package URL it is a generic program."""
    if not component.type:
        return "generic", component.name
    return component.type, full_name(PackageURL.from_string(component.purl)) if component.purl else component.name


def entries_for(gap: Gap, register: Register, target: str, mode: Mode) -> tuple[Unseen, ...]:
    """The coverage entries that are about a gap, in force or not: those that name it before those for its kind."""
    one = gap.component
    about = [
        entry
        for entry in register.coverage
        if entry.stands_for(target, mode) and entry.is_about(one.type, one.name, one.version, one.paths)
    ]
    return tuple(sorted(about, key=lambda entry: not entry.purl))


def _known_bad_gaps() -> tuple[tuple[Gap, ...], Register, str, Mode, date]:
    empty = Register("exceptions.yaml", (), (), (), ())
    return (Gap(Watched("Chrome", "generic", "chrome"), "from a zip"),), empty, "aws", Mode.BASIC, date(2026, 1, 2)


@check(9, known_bad=_known_bad_gaps)
def gaps_registered(gaps: tuple[Gap, ...], register: Register, target: str, mode: Mode, today: date) -> CheckResult:
    """Each component that the scanner does not see has a coverage entry in force."""
    open_gaps = [gap for gap in gaps if not _registered(gap, register, target, mode, today)]
    kinds = {gap.component.type for gap in open_gaps}
    return CheckResult.of(
        rejection
        for kind in sorted(kinds)
        for rejection in _unregistered([g for g in open_gaps if g.component.type == kind], register, target, mode)
    )


def _registered(gap: Gap, register: Register, target: str, mode: Mode, today: date) -> bool:
    return any(entry.expires >= today for entry in entries_for(gap, register, target, mode))


def _unregistered(gaps: list[Gap], register: Register, target: str, mode: Mode) -> Iterator[Rejection]:
    """The gaps of one kind: each by itself, or all others than the watched ones together where they are many."""
    missing = []
    for gap in gaps:
        if entries := entries_for(gap, register, target, mode):
            yield Rejection(
                f"The coverage entry for {_title(gap)} expired on {entries[0].expires}",
                where=register.where(entries[0].line),
                remedy="make the compensating check again and set a new date, or have the component scanned",
            )
        else:
            missing.append(gap)
    others = [gap for gap in missing if not gap.watched]
    together = len(others) > _APART and gaps[0].component.type != "generic"
    for gap in missing:
        if gap.watched or not together:
            yield _missing(_title(gap), gap.why, register, _entry(gap, target, mode))
    if together:
        yield _all_missing(others, register, target, mode)


def _entry(gap: Gap, target: str, mode: Mode) -> str:
    return ready_coverage({"purl": gap.component.purl.partition("@")[0]}, target, mode)


def _all_missing(gaps: list[Gap], register: Register, target: str, mode: Mode) -> Rejection:
    kind = gaps[0].component.type
    named = ", ".join(gap.component.title for gap in gaps[:_NAMED])
    rest = f" and {len(gaps) - _NAMED} more" if len(gaps) > _NAMED else ""
    title = f"{len(gaps)} packages of the type {kind} ({named}{rest})"
    return _missing(title, gaps[0].why, register, ready_coverage({"ecosystem": kind}, target, mode))


def _title(gap: Gap) -> str:
    at = f", at {gap.component.paths[0]}" if gap.component.paths else ""
    return f"{gap.component.title} ({gap.component.purl}{at})"


def _missing(title: str, why: str, register: Register, entry: str) -> Rejection:
    return Rejection(
        f"The scanner does not see {title}, and the register does not say what is done instead: {why}",
        where=f"{register.source}, coverage",
        remedy="have it scanned, remove it, or paste, complete and have reviewed a coverage entry:",
        paste=entry,
    )


def _known_bad_sight() -> tuple[ScanReport, Sight]:
    night = datetime(2026, 1, 2, tzinfo=UTC)
    blind = Component("chrome", "130.0", "pkg:generic/chrome@130.0", "generic")
    report = ScanReport("sha256:checked", "", Mode.BASIC, "COMPLETE", night, night, (), (), 1, night, "rescanned")
    return report, Sight(Mode.BASIC, (), (blind,), ())


@check(7, known_bad=_known_bad_sight)
def something_seen(report: ScanReport, seen: Sight) -> CheckResult:
    """A scan without findings looked at something: at least one package of the image is covered."""
    if report.findings or seen.covered:
        return ACCEPTED
    return reject(
        f"The scan found nothing, but looks at none of the image's {len(seen.uncovered)} components: it proves nothing",
        where=f"{report.digest}, {seen.mode.value.lower()} scanning",
        remedy="build on a base whose package database is in the image, or use a scanner that sees these components",
    )
