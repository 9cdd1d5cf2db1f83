"""What the scanner covers of the image, compared with its SBOM. Pure.

Basic scanning looks at the packages of the operating system, enhanced scanning at those and at packages of languages;
neither sees a Chrome unpacked from a zip. A scan says nothing about what it does not cover, so each such component of
the image needs a coverage entry in the register.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.scan.components import OS_TYPES, SEEN, Component, RequiredComponent, full_name
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.suggestion import ready_coverage
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode

# More components of one type than this are reported together, with so many of their names.
_APART = 3
_NAMED = 10


@dataclass(frozen=True)
class ImageCoverage:
    """What of an image the scanner covers.

    Attributes:
        mode: the kind of scanning.
        covered: components that it looks at.
        uncovered: components that it does not look at.
        to_register: the required components that are not covered, and every other uncovered component once.
    """

    mode: Mode
    covered: tuple[Component, ...]
    uncovered: tuple[Component, ...]
    to_register: tuple[RequiredComponent, ...]


def required_components(
    python: str | None,
    requirements: Mapping[str, str],
    *,
    chrome: str | None = "",
    chromedriver: str | None = "",
    python_full: str = "",
) -> tuple[RequiredComponent, ...]:
    """Chrome, Chromedriver and Python where they are parts of the release, and the pinned requirements.

    Args:
        python: major.minor of the Python in the image; None where none is part of the release.
        requirements: the pinned requirements, name to version.
        chrome: Chrome's version, if known; None where no browser is part of the release.
        chromedriver: Chromedriver's version, if known; None where no driver is part of it.
        python_full: the interpreter's full version, if known.
    """
    of_python = (f"python{python}", f"python{python}-minimal")
    of_chrome = ("chromium", "google-chrome-stable"), ("chrome", "google-chrome", "chrome-for-testing")
    of_driver = ("chromium-driver", "chromedriver")
    return (
        *([] if chrome is None else [RequiredComponent("Chrome", "generic", "chrome", chrome, *of_chrome)]),
        *(
            []
            if chromedriver is None
            else [RequiredComponent("Chromedriver", "generic", "chromedriver", chromedriver, of_driver)]
        ),
        *(
            []
            if python is None
            else [RequiredComponent("Python", "generic", "python", python_full, of_python, ("python",))]
        ),
        *(
            RequiredComponent(name, "pypi", canonicalize_name(name), version)
            for name, version in sorted(requirements.items())
        ),
    )


def image_coverage(
    components: tuple[Component, ...], mode: Mode, required: tuple[RequiredComponent, ...]
) -> ImageCoverage:
    """Divide an image's components into those that the scanner covers and those that it does not."""
    covered = tuple(c for c in components if c.type in SEEN[mode] and c.version)
    uncovered = tuple(c for c in components if not (c.type in SEEN[mode] and c.version))
    missing = [replace(each, why=why) for each in required if (why := _why_uncovered(each, covered, uncovered, mode))]
    return ImageCoverage(mode, covered, uncovered, (*missing, *_others(uncovered, mode, required)))


def _why_uncovered(
    each: RequiredComponent, covered: tuple[Component, ...], uncovered: tuple[Component, ...], mode: Mode
) -> str:
    """Why a required component is not covered ("" when it is)."""
    if each.type == "pypi":
        listed = any(each.is_listed_as(c) for c in covered)
        return "" if listed else f"{mode.value.lower()} scanning does not look at this Python package"
    # A copy beside the packaged one would be covered by nobody.
    if any(c.name.lower() in {each.name, *each.aliases} and c.type not in OS_TYPES for c in uncovered):
        return "the image holds a copy that comes from no package of the operating system"
    packaged = any(c.type in OS_TYPES and c.name in each.packages for c in covered)
    return "" if packaged else "no package of the operating system is this component"


def _others(
    uncovered: tuple[Component, ...], mode: Mode, required: tuple[RequiredComponent, ...]
) -> Iterator[RequiredComponent]:
    """Each uncovered component that is not required; the same package in many places is one."""
    places: dict[tuple[str, str, str], set[str]] = {}
    for each in uncovered:
        if not any(one.is_listed_as(each) for one in required):
            places.setdefault((*_type_and_name(each), each.version), set()).update(each.paths)
    for (kind, name, version), paths in places.items():
        why = f"{mode.value.lower()} scanning does not look at it" if version else "its version is not known"
        yield RequiredComponent(name, kind, name, version, paths=tuple(sorted(paths)), required=False, why=why)


def _type_and_name(component: Component) -> tuple[str, str]:
    """The type and name under which a component is registered; without a package URL it is a generic program."""
    if not component.type:
        return "generic", component.name
    return component.type, full_name(PackageURL.from_string(component.purl)) if component.purl else component.name


def _known_bad_uncovered() -> tuple[tuple[RequiredComponent, ...], Register, Mode]:
    chrome = RequiredComponent("Chrome", "generic", "chrome", why="from a zip")
    return (chrome,), Register("exceptions.yaml").at("aws", date(2026, 1, 2)), Mode.BASIC


@check(9, known_bad=_known_bad_uncovered)
def uncovered_registered(uncovered: tuple[RequiredComponent, ...], register: Register, mode: Mode) -> CheckResult:
    """Each component that the scanner does not cover has a coverage entry in force."""
    rejections: list[Rejection] = []
    missing: dict[str, list[RequiredComponent]] = {}
    for each in sorted(uncovered, key=lambda one: one.type):
        entries = register.coverage_of(each, mode)
        if not entries:
            missing.setdefault(each.type, []).append(each)
        elif all(entry.expires < register.today for entry in entries):
            rejections.append(
                Rejection(
                    f"The coverage entry for {_title(each)} expired on {entries[0].expires}",
                    where=register.where(entries[0].line),
                    remedy="make the compensating check again and set a new date, or have the component scanned",
                )
            )
    for of_one_type in missing.values():
        rejections += _unregistered(of_one_type, register, mode)
    return CheckResult.of(rejections)


def _unregistered(missing: list[RequiredComponent], register: Register, mode: Mode) -> Iterator[Rejection]:
    """Components of one type without an entry: each by itself, or where the unrequired ones are many, those as one."""
    kind = missing[0].type
    others = [each for each in missing if not each.required]
    together = len(others) > _APART and kind != "generic"
    for each in missing:
        if each.required or not together:
            entry = ready_coverage({"purl": each.purl.partition("@")[0]}, register.target, mode)
            yield _without_entry(_title(each), each.why, register, entry)
    if together:
        named = ", ".join(each.title for each in others[:_NAMED])
        rest = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        title = f"{len(others)} packages of the type {kind} ({named}{rest})"
        yield _without_entry(title, others[0].why, register, ready_coverage({"ecosystem": kind}, register.target, mode))


def _title(one: RequiredComponent) -> str:
    at = f", at {one.paths[0]}" if one.paths else ""
    return f"{one.title} ({one.purl}{at})"


def _without_entry(title: str, why: str, register: Register, entry: str) -> Rejection:
    return Rejection(
        f"The scanner does not see {title}, and the register does not say what is done instead: {why}",
        where=f"{register.source}, coverage",
        remedy="have it scanned, remove it, or paste, complete and have reviewed a coverage entry:",
        paste=entry,
    )


def _known_bad_coverage() -> tuple[ScanReport, ImageCoverage]:
    night = datetime(2026, 1, 2, tzinfo=UTC)
    blind = Component("chrome", "130.0", "pkg:generic/chrome@130.0", "generic")
    report = ScanReport("sha256:checked", "", Mode.BASIC, "COMPLETE", night, night, (), (), 1, night, "rescanned")
    return report, ImageCoverage(Mode.BASIC, (), (blind,), ())


@check(7, known_bad=_known_bad_coverage)
def something_covered(report: ScanReport, coverage: ImageCoverage) -> CheckResult:
    """A scan without findings looked at something: at least one package of the image is covered."""
    if report.findings or coverage.covered:
        return ACCEPTED
    return reject(
        f"The scan found nothing, but looks at none of the image's {len(coverage.uncovered)} components",
        where=f"{report.digest}, {coverage.mode.value.lower()} scanning",
        remedy="build on a base whose package database is in the image, or use a scanner that sees these components",
    )
