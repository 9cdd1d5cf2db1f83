"""The Python packages in the image, held against the pinned requirements. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gate.errors import ImageUnavailable
from gate.judgement import ACCEPTED, Judgement, Rejection, judge, reject

_PACKAGES = "the image's Python packages"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\#]+)")


def canonical_name(name: str) -> str:
    """One spelling for one package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Installed:
    """The packages of the image's Python.

    Attributes:
        versions: version by canonical name.
        unimportable: by canonical name, the error with which a top-level module failed to import.
        conflicts: what `pip check` says, a line each.
    """

    versions: Mapping[str, str]
    unimportable: Mapping[str, str]
    conflicts: tuple[str, ...]


def pins(requirements: str, where: str) -> dict[str, str]:
    """The pinned version of each requirement.

    Raises:
        ImageUnavailable: a requirement is not pinned with `==`, so nothing can be held against it.
    """
    found = {}
    for line in requirements.splitlines():
        text = line.strip()
        if not text or text.startswith(("#", "-")):
            continue
        pin = _PIN.match(text)
        if pin is None:
            raise ImageUnavailable(f"the requirement {text!r} is not pinned", where=where, remedy="pin it with ==")
        found[canonical_name(pin.group(1))] = pin.group(2)
    return found


@judge(1, known_bad=lambda: ({"selenium": "4.0"}, Installed({}, {}, ())))
def pins_installed(wanted: Mapping[str, str], installed: Installed) -> Judgement:
    """Every pinned requirement is there at its pin and imports, and nothing conflicts."""
    if not wanted:
        return reject("the requirements pin no package, so nothing is known about what the image should hold",
                      "the requirements beside the Dockerfile", "pin what the handler imports, with ==")  # fmt: skip
    wrong = [
        Rejection(
            f"{name} is pinned at {version}, and the image holds {installed.versions.get(name) or 'none'}",
            where=_PACKAGES,
            remedy="look at the pip step in the build log",
        )
        for name, version in wanted.items()
        if installed.versions.get(name) != version
    ]
    wrong += [
        Rejection(f"{name} is installed and cannot be imported: {error}", _PACKAGES, "import it by hand in the image")
        for name, error in installed.unimportable.items()
        if name in wanted
    ]
    wrong += [
        Rejection(f"pip check: {line}", _PACKAGES, "correct the pins in requirements.in, and lock them anew")
        for line in installed.conflicts
    ]
    return Judgement.of(wrong)


@judge(6, known_bad=lambda: ({"pytest", "selenium"}, ("pytest", "moto")))
def no_development_packages(present: Collection[str], forbidden: Sequence[str]) -> Judgement:
    """Nothing that only tests need is shipped: it is attack surface and size that no request uses."""
    if not present:
        return reject("no Python package was found in the image, so nothing is known about what it ships", _PACKAGES,
                      "the image's python3 must see the packages that the handler imports")  # fmt: skip
    found = sorted(set(present) & {canonical_name(name) for name in forbidden})
    if not found:
        return ACCEPTED
    return reject(
        f"development packages are in the production image: {', '.join(found)}",
        where="the image's Python packages",
        remedy="install the runtime requirements only; keep these in a requirements file of their own",
    )
