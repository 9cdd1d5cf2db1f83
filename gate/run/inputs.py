"""What a run looks up beside image and registry: register, recorded scans, earlier releases, ends of support."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.aws.calls import ask
from gate.browser import chrome_age
from gate.errors import ImageUnavailable
from gate.image.dockerfile import from_lines
from gate.image.end_of_support import shipped
from gate.scan.exceptions.entries import Register
from gate.scan.exceptions.reading import load
from gate.scan.records import ScanRecord, read
from gate.scan.scan_diff import last_before

if TYPE_CHECKING:
    from gate.candidate import Candidate
    from gate.publish.release_client import ReleaseClient
    from gate.run.model import Run

REGISTER = "exceptions.yaml"
_CHROME = ("generic", "chrome")


def register(run: Run) -> Register:
    """The register of exceptions, beside the Dockerfile.

    Raises:
        WrongUse: it is not there, or cannot be read.
    """
    run.facts.register = load(run.options.image_context / REGISTER)
    return run.facts.register


def register_or_empty(run: Run) -> Register:
    """The register, or an empty one where there is none: then no end of support is accepted, and AC9 fails.

    Raises:
        WrongUse: it is there, and cannot be read.
    """
    if (run.options.image_context / REGISTER).exists():
        return register(run)
    return Register(f"{run.options.image_context.name}/{REGISTER}", (), (), (), ())


def last_scan(run: Run, history: tuple[ScanRecord, ...]) -> ScanRecord | None:
    """The last recorded scan from before this run began, of its digest if there is one, or --previous; else None."""
    if run.options.previous:
        return read(run.options.previous)
    return last_before(history, run.started, run.store.digest)


def base_that_ships(image: Candidate) -> tuple[str, str]:
    """The base image that a release stands on, and how that is known.

    On the stand-in it is the base that the Dockerfile names when no other is given; where it names none, the first
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


def chrome_pin(run: Run, exceptions: Register) -> chrome_age.ChromePin:
    """The version of Chrome that the release pins.

    Raises:
        NothingPinned: on the stand-in there is no lock.
    """
    named = (each for each in exceptions.coverage if (each.type, each.name) == _CHROME)
    listed = any(each.target in {run.exception_scope, "both"} for each in named)
    context, stand_in = run.options.image_context, run.exception_scope == "local"
    return chrome_age.read(context, stand_in=stand_in, seen_by_scanner=not listed)


def canaries(client: ReleaseClient) -> dict[str, str]:
    """Secrets within reach of this run, that the redactor does not know: the zip function's environment, if any.

    Raises:
        AwsRefused: the zip function cannot be read.
    """
    if not client.release.zip_function:
        return {}
    answer = ask(client.client("lambda"), "get_function_configuration", "the zip function's environment", dict,
                 FunctionName=client.release.zip_function)  # fmt: skip
    values = answer.get("Environment", {}).get("Variables", {})
    # Shorter values ("INFO", "true") are words that stand in any report.
    return {f"the value of {name}": value for name, value in values.items() if len(value) >= 8}  # noqa: PLR2004
