"""Whether the base and the Python are still supported, by the dates in end_of_support.yaml. Pure but for `load`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from gate.check import CheckResult, Rejection, check
from gate.errors import WrongUse
from gate.image.base import STAND_IN_PYTHON
from gate.image.dockerfile import From
from gate.scan.exceptions.entries import Register, SupportException
from gate.scan.exceptions.source import read_yaml
from gate.scan.exceptions.suggestion import ready_support

DATA = Path(__file__).with_name("end_of_support.yaml")
WARNED_AHEAD = timedelta(days=180)
# How the list names Lambda's runtimes for Python.
_RUNTIME = "Lambda runtime python"
_SEEN_LATELY = timedelta(days=365)
_DAY = date(2026, 7, 1)
_IDLE = SupportException(what="Amazon Linux 1", expires=_DAY, line=1)
# The suffixes of AWS's base image tags: a build ("3.11.2026.11.01.2"), an architecture.
_BUILD = r"(?:\.\d[\d.]*)?(?:-(?:x86_64|arm64))?"


@dataclass(frozen=True)
class Lifetime:
    """How long a product is supported.

    Attributes:
        until: the last day of support.
        source: the page of its maker with the date.
        looked_up: the day of the last look at that page.
    """

    name: str
    until: date
    source: str
    looked_up: date


@dataclass(frozen=True)
class KnownBase:
    """A base image, and the names of the lifetimes of its parts."""

    image: str
    tag: str
    parts: tuple[str, ...]

    def is_behind(self, reference: str) -> bool:
        """Whether a reference (`repository:tag`, with or without `@sha256:…`) names this base, in any build."""
        named = re.fullmatch(rf"{re.escape(self.image)}:{re.escape(self.tag)}{_BUILD}", reference.partition("@")[0])
        return named is not None


@dataclass(frozen=True)
class SupportDates:
    """The content of end_of_support.yaml.

    Attributes:
        source: the file's name.
    """

    source: str
    lifetimes: tuple[Lifetime, ...]
    bases: tuple[KnownBase, ...]

    def lifetime(self, name: str) -> Lifetime | None:
        """The lifetime of this name."""
        return next((each for each in self.lifetimes if each.name == name), None)


@dataclass(frozen=True)
class ReleasePart:
    """A product that a release depends on.

    Attributes:
        name: of its lifetime, or the base's reference if the base is not listed.
        of: where it comes from: the base's reference, or pytest.ini's Python.
        lifetime: None if it is not listed.
    """

    name: str
    of: str
    lifetime: Lifetime | None


def parts_of(base: str, python_version: str, known: SupportDates) -> tuple[ReleasePart, ...]:
    """The products that a release depends on: its base's system and runtime, and its Python if any.

    Args:
        base: the reference of the base image.
        python_version: major.minor; "" where no Python is part of the release.
        known: the listed dates.
    """
    found = next((each for each in known.bases if each.is_behind(base)), None)
    names = {name: known.lifetime(name) for name in found.parts} if found else {base: None}
    of_base = [ReleasePart(name, base, lifetime) for name, lifetime in names.items()]
    if not python_version:
        return tuple(of_base)
    python = f"CPython {python_version}"
    return (*of_base, ReleasePart(python, f"Python {python_version}", known.lifetime(python)))


def python_of(base: str, known: SupportDates) -> str:
    """The Python, as major.minor, that an image of AWS's for Lambda runs; "" where the list knows none of it."""
    parts = (part for each in known.bases if each.is_behind(base) for part in each.parts)
    return next((part.removeprefix(_RUNTIME) for part in parts if part.startswith(_RUNTIME)), "")


def stand_in_hides(found: str, wanted: str, shipped: str) -> bool:
    """Whether an image on the stand-in has another Python than the agreed one only because the stand-in does.

    Args:
        found: the image's Python.
        wanted: the agreed one, as major.minor.
        shipped: that of the base which a release is built on, as major.minor; "" if it is not known.
    """
    own = ".".join(found.split(".")[:2])
    return own == STAND_IN_PYTHON != wanted == shipped


def shipped(froms: Sequence[From]) -> str:
    """The image that the last stage of a Dockerfile is built on, directly or through other stages.

    Args:
        froms: every image that the Dockerfile names, in order.
    """
    name = ""
    for each in reversed([each for each in froms if each.instruction == "FROM"]):
        if not name or each.stage.lower() == name.lower():
            name = each.image
    return name


def load(path: Path = DATA) -> SupportDates:
    """Read a file of support dates.

    Raises:
        WrongUse: it cannot be read, or an entry is not in the form that the file's header describes.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
        if document.faults:
            raise ValueError("; ".join(f"line {fault.line}: {fault.sentence}" for fault in document.faults))
        lifetimes = tuple(Lifetime(**_dated(each)) for each in _listed(document.value["lifetimes"]))
        bases = tuple(
            KnownBase(**{**each, "parts": tuple(_listed(each["parts"]))}) for each in _listed(document.value["bases"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(
            f"The dates of support cannot be read: {type(error).__name__}: {error}", where=where,
            remedy="write each entry as the header of the file describes",
        ) from error  # fmt: skip
    return SupportDates(where, lifetimes, bases)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list) and value:
        return value
    raise TypeError(f"{value} is no list of entries")


def _dated(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, **{name: date.fromisoformat(entry[name]) for name in ("until", "looked_up")}}


def _ended() -> tuple[ReleasePart, ...]:
    return (ReleasePart("Amazon Linux 2", "a base", Lifetime("Amazon Linux 2", date(2026, 6, 30), "its FAQ", _DAY)),)


@check(6, known_bad=lambda: (_ended(), Register("exceptions.yaml"), _DAY, "end_of_support.yaml"))
def supported(parts: Sequence[ReleasePart], register: Register, today: date, source: str) -> CheckResult:
    """Each part is supported today, or an entry of the register that is in force accepts the end of its support."""
    return CheckResult.of(
        _unknown(part, source) if part.lifetime is None else _out_of_support(part, part.lifetime, register, today)
        for part in parts
        if part.lifetime is None or (part.lifetime.until < today and _accepted(part, register, today) is None)
    )


def _unknown(part: ReleasePart, source: str) -> Rejection:
    of = "" if part.name == part.of else f" (of {part.of})"
    return Rejection(
        f"The end of support of {part.name}{of} is not known",
        where=source,
        remedy="look it up on its maker's page, and add it there with that page and today's date: under `lifetimes`, "
        "and a base image under `bases` with the names of its parts; name a base with its tag before any digest",
    )


def _out_of_support(part: ReleasePart, lifetime: Lifetime, register: Register, today: date) -> Rejection:
    entry = next((each for each in register.support if each.what == part.name), None)
    history = f"; its entry in {register.source} runs from {entry.decided} to {entry.expires}" if entry else ""
    return Rejection(
        f"{part.name} (of {part.of}) has been out of support since {lifetime.until}{history}",
        where=register.where(entry.line) if entry else lifetime.source,
        remedy="release on a newer base or Python; or, where that is not possible yet, paste, complete and have "
        f"reviewed under `support` in {register.source}:",
        paste=ready_support(part.name, today),
    )


def _accepted(part: ReleasePart, register: Register, today: date) -> SupportException | None:
    return next((each for each in register.support if each.what == part.name and each.is_in_force(today)), None)


@check(6, known_bad=lambda: ((), Register("exceptions.yaml", (), (), (), (), (_IDLE,)), _DAY))
def support_exceptions_used(parts: Sequence[ReleasePart], register: Register, today: date) -> CheckResult:
    """Each acceptance is about a part of the release whose support has ended."""
    ended = {part.name for part in parts if part.lifetime and part.lifetime.until < today}
    names = {part.name for part in parts}
    return CheckResult.of(
        Rejection(
            f"The entry for {entry.what} is not used: "
            + ("it is supported" if entry.what in names else "it is no part of the release"),
            where=register.where(entry.line),
            remedy="remove the entry",
        )
        for entry in register.support
        if entry.what not in ended
    )


def warnings(parts: Sequence[ReleasePart], register: Register, today: date) -> tuple[str, ...]:
    """Support that ends soon, or has ended and is accepted, and dates that were not looked up for a year."""
    return tuple(sentence for part in parts for sentence in _warned(part, _accepted(part, register, today), today))


def _warned(part: ReleasePart, entry: SupportException | None, today: date) -> Iterator[str]:
    lifetime = part.lifetime
    if lifetime is None:
        return
    left = lifetime.until - today
    if left < timedelta():
        if entry:
            yield f"{part.name} has been out of support since {lifetime.until}; accepted until {entry.expires}"
    elif left <= WARNED_AHEAD:
        yield f"{part.name} is supported until {lifetime.until}, {left.days} more days: plan its replacement"
    if today - lifetime.looked_up > _SEEN_LATELY:
        yield f"the end of support of {part.name} was last looked up on {lifetime.looked_up}: {lifetime.source}"
