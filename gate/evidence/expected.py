"""Whether a verified folder is the one that somebody needs: this verdict, for this digest, on this target. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gate.check import CheckResult, Rejection, check
from gate.errors import WrongUse

WORDS = ("GO", "NO-GO", "REHEARSAL PASSED", "REHEARSAL FAILED", "INCOMPLETE", "CLEAN", "NOT CLEAN", "UNKNOWN")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOW = datetime.fromisoformat("2026-01-02T00:00:00+00:00")


@dataclass(frozen=True)
class ExpectedVerdict:
    """What is expected; None where anything will do.

    Attributes:
        word: the verdict.
        digest: of the released image, "sha256:…".
        target: "local" or "aws"; "aws" is AWS itself and no other endpoint.
    """

    word: str | None = None
    digest: str | None = None
    target: str | None = None

    def check(self) -> None:
        """Refuse what can never be met.

        Raises:
            WrongUse: the digest is none.
        """
        if self.digest is not None and not _DIGEST.fullmatch(self.digest):
            raise WrongUse(
                f"--digest takes a whole image digest, and {self.digest!r} is none",
                remedy="copy it from the release (sha256: and 64 hexadecimal digits)",
            )


@check(8, known_bad=lambda: ({"verdict": "NO-GO", "release": {}, "target": "local"}, ExpectedVerdict("GO"), _NOW))
def as_expected(document: Mapping[str, Any], expected: ExpectedVerdict, now: datetime) -> CheckResult:
    """verdict.json is of the expected verdict, digest and target, and an expected GO is still valid."""
    word, digest = document.get("verdict"), document["release"].get("digest")
    target = document.get("target")
    if target == "aws" and not document.get("endpoint_is_aws"):
        target = "an endpoint that is not AWS"
    causes = []
    if expected.word not in (None, word):
        causes.append(f"{expected.word} was expected, and the verdict is {word}")
    if expected.digest not in (None, digest):
        about = digest or "no published image"
        causes.append(f"the digest {expected.digest} was expected, and the run is about {about}")
    if expected.target not in (None, target):
        causes.append(f"a run on {expected.target} was expected, and this one was on {target}")
    until = document.get("valid_until")
    if expected.word == "GO" and word == "GO" and (until is None or datetime.fromisoformat(until) < now):
        causes.append(f"a GO was expected that is valid now, and this one was valid until {until}")
    return CheckResult.of(
        Rejection(cause, "verdict.json", "name the folder of the run that is meant, or run the gate again")
        for cause in causes
    )
