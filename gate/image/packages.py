"""The Python packages in the image, held against the pinned requirements. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.image.requirements import same_version

SHOWN = 5
_PACKAGES = "the image's Python packages"


@dataclass(frozen=True)
class InstalledPackages:
    """The packages of the image's Python.

    Attributes:
        versions: version by canonical name.
        unimportable: by canonical name, the error with which a top-level module failed to import.
        conflicts: what `pip check` says, a line each.
        foreign: by canonical name, files that are imported in its place, or that differ from its RECORD.
        closed: by canonical name, the folder that Lambda's user may not enter.
    """

    versions: Mapping[str, str]
    unimportable: Mapping[str, str]
    conflicts: tuple[str, ...]
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)


@check(1, known_bad=lambda: ({"selenium": "4.0"}, InstalledPackages({}, {}, ())))
def pins_installed(wanted: Mapping[str, str], installed: InstalledPackages) -> CheckResult:
    """Every pinned requirement is installed at its pin and can be imported, and no packages conflict."""
    if not wanted:
        return reject("the requirements pin no package, so it is not known what the image should hold",
                      "the requirements beside the Dockerfile", "pin what the handler imports, with ==")  # fmt: skip
    wrong = [
        _missing(name, version, installed)
        for name, version in wanted.items()
        if not same_version(version, installed.versions.get(name, ""))
    ]
    for name in wanted:
        if files := installed.foreign.get(name):
            cause = f"{name} is not what runs: Python imports {files[0]}, which is not the file that {name} recorded"
            remedy = "leave one copy of the package in the image, as pip installs it"
            wrong.append(Rejection(cause, ", ".join(files[:SHOWN]), remedy))
        if name in installed.unimportable:
            cause = f"{name} is installed and cannot be imported: {installed.unimportable[name]}"
            remedy = "import it by hand in the image, as the user that Lambda runs as (docker run --user 993:990)"
            wrong.append(Rejection(cause, _PACKAGES, remedy))
    wrong += [
        Rejection(f"pip check: {line}", _PACKAGES, "correct the pins in requirements.in, and lock them anew")
        for line in installed.conflicts
    ]
    return CheckResult.of(wrong)


def _missing(name: str, version: str, installed: InstalledPackages) -> Rejection:
    if shut := installed.closed.get(name):
        cause = f"{name} is pinned at {version}, and lies where Lambda's user has no access: {shut} is closed to it"
        return Rejection(cause, shut, f"install it outside {shut}, or chmod a+rx {shut} in the Dockerfile")
    cause = f"{name} is pinned at {version}, and the image holds {installed.versions.get(name) or 'none'}"
    return Rejection(cause, _PACKAGES, "look at the pip step in the build log")


@check(6, known_bad=lambda: ({"pytest", "selenium"}, ("pytest", "moto")))
def no_development_packages(present: Collection[str], forbidden: Sequence[str]) -> CheckResult:
    """The image holds no package that only development needs."""
    if not present:
        return reject("no Python package was found in the image, so it is not known what it contains", _PACKAGES,
                      "the image's python3 must see the packages that the handler imports")  # fmt: skip
    found = sorted(set(present) & {canonicalize_name(name) for name in forbidden})
    if not found:
        return ACCEPTED
    return reject(f"development packages are in the production image: {', '.join(found)}", _PACKAGES,
                  "install the runtime requirements only; keep these in a requirements file of their own")  # fmt: skip
