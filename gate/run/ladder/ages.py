"""What a release stands on and pins, of which others say how long it lasts: its base, and its Chrome."""

from __future__ import annotations

from datetime import datetime

from gate.browser import newest, pin
from gate.candidate import Candidate
from gate.errors import ImageUnavailable
from gate.image.dockerfile import from_lines
from gate.image.support import shipped
from gate.run.ladder.scans import REGISTER
from gate.run.model import Run, Rungs
from gate.scan.register.entries import Register

_CHROME = ("generic", "chrome")


def base_that_ships(image: Candidate) -> tuple[str, str]:
    """The base image that a release stands on, and how that is known.

    On the stand-in it is the base that the Dockerfile names when nobody says another; where it names none, the first
    approved one, on which a release is built.

    Raises:
        ImageUnavailable: the Dockerfile cannot be read.
    """
    approved = image.release.approved_bases
    if image.base_reference in approved:
        return image.base_reference, "the approved base, against which the image's layers are held"
    try:
        return shipped(from_lines(image.dockerfile, {})), "in the stand-in's place: the Dockerfile's own default base"
    except ImageUnavailable:
        found = shipped(from_lines(image.dockerfile, {"BASE_IMAGE": approved[0]}))
        return found, "in the stand-in's place: the first of approved_bases, since the Dockerfile has no default base"


def accepted_ends(run: Run, rungs: Rungs) -> Register:
    """The register, or an empty one where there is none: then no end of support is accepted, and AC9 has its say.

    Raises:
        WrongUse: it is there, and cannot be read.
    """
    if not (run.options.image_context / REGISTER).exists():
        return Register(f"{run.options.image_context.name}/{REGISTER}", (), (), (), ())
    found: Register = rungs("register")
    return found


def chrome_pin(run: Run, register: Register) -> pin.ChromePin:
    """The version of Chrome that the release pins.

    Raises:
        NothingPinned: on the stand-in there is no lock.
    """
    listed = any((each.type, each.name) == _CHROME and each.target in {run.rules, "both"} for each in register.coverage)
    return pin.read(run.options.image_context, stand_in=run.rules == "local", seen_by_scanner=not listed)


def newest_chrome(run: Run, now: datetime) -> newest.Newest:
    """The newest stable version of Chrome.

    Raises:
        NewestUnknown: it cannot be asked for, and is not recorded.
    """
    return newest.newest(run.options.image_context, now)
