"""Whether the makers of the base and of the Python still support them, by dated data. Pure but for `load`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from gate.check import CheckResult, Rejection, check
from gate.errors import WrongUse
from gate.image.dockerfile import From
from gate.scan.register.entries import Register, SupportException
from gate.scan.register.source import Document, read_yaml
from gate.scan.register.suggestion import ready_support

DATA = Path(__file__).with_name("support.yaml")
WARNED_AHEAD = timedelta(days=180)
_SEEN_LATELY = timedelta(days=365)
_DAY = date(2026, 7, 1)
# What AWS adds to a base image's tag: the build ("3.11.2026.11.01.2"), an architecture.
_BUILD = r"(?:\.\d[\d.]*)?(?:-(?:x86_64|arm64))?"


@dataclass(frozen=True)
class Lifetime:
    """How long a maker supports something.

    Attributes:
        until: the last day of support.
        source: the page on which the maker says so.
        looked_up: the day on which somebody looked there.
    """

    name: str
    until: date
    source: str
    looked_up: date


@dataclass(frozen=True)
class KnownBase:
    """A base image, and the names of the lifetimes that it stands on."""

    image: str
    tag: str
    parts: tuple[str, ...]

    def is_behind(self, reference: str) -> bool:
        """Whether a reference (`repository:tag`, with or without `@sha256:…`) names this base, in any of its builds."""
        named = re.fullmatch(rf"{re.escape(self.image)}:{re.escape(self.tag)}{_BUILD}", reference.partition("@")[0])
        return named is not None


@dataclass(frozen=True)
class Support:
    """The dated data.

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
class Part:
    """Something that a release stands on.

    Attributes:
        name: of its lifetime, or the base's reference where nobody knows what it is made of.
        of: what brings it: the base's reference, or pytest.ini's Python.
        lifetime: None where the data has none.
    """

    name: str
    of: str
    lifetime: Lifetime | None


def parts_of(base: str, python_version: str, known: Support) -> tuple[Part, ...]:
    """What a release stands on: its base's system and runtime, and its Python.

    Args:
        base: the reference of the base image.
        python_version: major.minor.
        known: the dated data.
    """
    found = next((each for each in known.bases if each.is_behind(base)), None)
    of_base = [Part(name, base, known.lifetime(name)) for name in found.parts] if found else [Part(base, base, None)]
    python = f"CPython {python_version}"
    return (*of_base, Part(python, f"Python {python_version}", known.lifetime(python)))


def shipped(froms: Sequence[From]) -> str:
    """The image that the last stage of a Dockerfile stands on, through the stages before it.

    Args:
        froms: every place of the Dockerfile that names an image, in order, arguments filled in.
    """
    name = ""
    for each in reversed([each for each in froms if each.instruction == "FROM"]):
        if not name or each.stage.lower() == name.lower():
            name = each.image
    return name


def load(path: Path = DATA) -> Support:
    """The dated data of a file.

    Raises:
        WrongUse: it cannot be read, or an entry is not of the form that the file's head describes.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
        if document.faults:
            raise ValueError("; ".join(f"line {fault.line}: {fault.sentence}" for fault in document.faults))
        lifetimes = tuple(_lifetime(each) for each in _listed(document, "lifetimes"))
        bases = tuple(_base(each) for each in _listed(document, "bases"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(
            f"The dates of support cannot be read: {type(error).__name__}: {error}", where=where,
            remedy="write each entry as the head of the file says",
        ) from error  # fmt: skip
    return Support(where, lifetimes, bases)


def _listed(document: Document, key: str) -> list[Any]:
    entries = document.value[key]
    if not isinstance(entries, list):
        raise TypeError(f"{key} is no list")
    return entries


def _lifetime(raw: dict[str, str]) -> Lifetime:
    if set(raw) != {"name", "until", "source", "looked_up"}:
        raise ValueError(f"a lifetime has name, until, source and looked_up, and not {', '.join(sorted(raw))}")
    return Lifetime(raw["name"], date.fromisoformat(raw["until"]), raw["source"], date.fromisoformat(raw["looked_up"]))


def _base(raw: dict[str, Any]) -> KnownBase:
    parts = raw["parts"]
    if set(raw) != {"image", "tag", "parts"} or not isinstance(parts, list) or not parts:
        raise ValueError(f"a base has image, tag and at least one of parts: {raw}")
    return KnownBase(raw["image"], raw["tag"], tuple(parts))


def _ended() -> tuple[Part, ...]:
    return (Part("Amazon Linux 2", "a base", Lifetime("Amazon Linux 2", date(2026, 6, 30), "its FAQ", _DAY)),)


def _nothing() -> Register:
    return Register("exceptions.yaml", (), (), (), ())


@check(6, known_bad=lambda: (_ended(), _nothing(), _DAY, "support.yaml"))
def supported(parts: Sequence[Part], register: Register, today: date, source: str) -> CheckResult:
    """Each part is supported by its maker today, or its end is accepted by an entry of the register in force."""
    return CheckResult.of(
        _unknown(part, source) if part.lifetime is None else _out_of_support(part, part.lifetime, register, today)
        for part in parts
        if part.lifetime is None or (part.lifetime.until < today and _accepted(part, register, today) is None)
    )


def _unknown(part: Part, source: str) -> Rejection:
    of = "" if part.name == part.of else f" (of {part.of})"
    return Rejection(
        f"Nobody knows until when {part.name}{of} is supported",
        where=source,
        remedy="look it up on its maker's own page, and add it there with that page and today's date: "
        "under `lifetimes`, and a base image under `bases` with the names of what it stands on",
    )


def _out_of_support(part: Part, lifetime: Lifetime, register: Register, today: date) -> Rejection:
    entry = next((each for each in register.support if each.what == part.name), None)
    history = f"; its entry in {register.source} runs from {entry.decided} to {entry.expires}" if entry else ""
    return Rejection(
        f"{part.name}, on which {part.of} stands, is out of support since {lifetime.until}{history}",
        where=register.where(entry.line) if entry else lifetime.source,
        remedy="release on a newer base or Python; or, where that cannot be done by now, paste, complete and have "
        f"reviewed under `support` in {register.source}:",
        paste=ready_support(part.name, today),
    )


def _accepted(part: Part, register: Register, today: date) -> SupportException | None:
    return next((each for each in register.support if each.what == part.name and each.is_in_force(today)), None)


@check(6, known_bad=lambda: ((), Register("exceptions.yaml", (), (), (), (), (_idle(),)), _DAY))
def support_exceptions_used(parts: Sequence[Part], register: Register, today: date) -> CheckResult:
    """Each acceptance is about something that the release stands on, and whose support has ended."""
    ended = {part.name for part in parts if part.lifetime and part.lifetime.until < today}
    standing = {part.name for part in parts}
    return CheckResult.of(
        Rejection(
            f"The entry for {entry.what} is not used: "
            + ("it is supported" if entry.what in standing else "the release does not stand on it"),
            where=register.where(entry.line),
            remedy="remove the entry",
        )
        for entry in register.support
        if entry.what not in ended
    )


def _idle() -> SupportException:
    return SupportException("Amazon Linux 1", "", "", "", "", _DAY, _DAY, 1)


def warnings(parts: Sequence[Part], register: Register, today: date) -> tuple[str, ...]:
    """What is about to end, or has ended and is accepted; and dates that nobody has looked up for a year."""
    return tuple(
        sentence
        for part in parts
        if part.lifetime is not None
        for sentence in _warned(part, part.lifetime, _accepted(part, register, today), today)
    )


def _warned(part: Part, lifetime: Lifetime, entry: SupportException | None, today: date) -> Iterator[str]:
    left = lifetime.until - today
    if left < timedelta():
        if entry:
            yield f"{part.name} is out of support since {lifetime.until}; accepted until {entry.expires}"
    elif left <= WARNED_AHEAD:
        yield f"{part.name} is supported until {lifetime.until}, {left.days} more days: plan what comes after it"
    if today - lifetime.looked_up > _SEEN_LATELY:
        yield f"until when {part.name} is supported was last looked up on {lifetime.looked_up}: {lifetime.source}"
