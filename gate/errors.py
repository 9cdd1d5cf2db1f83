"""The errors of the gate: each names its cause, where it was seen and what to do."""

from __future__ import annotations

from gate.text import visible


class GateError(Exception):
    """Something the gate needs is missing, late, unparsable or refused: always a NO-GO.

    Attributes:
        cause: one sentence saying what is wrong.
        where: the file, resource or command it was seen in ("" if the cause says it).
        remedy: what a person can do about it.
    """

    # The remedy where none is given.
    usual_remedy = ""

    def __init__(self, cause: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.where = where
        self.remedy = remedy or self.usual_remedy

    def __str__(self) -> str:
        return compose(self.cause, self.where, self.remedy)


def compose(cause: str, where: str, remedy: str, paste: str = "") -> str:
    """The order in which a person reads a failure: cause first, then where, then what to do.

    Each may quote foreign text, such as the name of a file in an image: nothing in it controls a terminal, and only the
    cause and what is to be pasted may have several lines.
    """
    lines = [cause]
    if where:
        lines.append(f"    where: {one_line(where)}")
    if remedy:
        lines.append(f"    to do: {one_line(remedy)}")
    if paste:
        lines.append(paste)
    return visible("\n".join(lines))


def one_line(text: str) -> str:
    """The text on one line, so that no part of it can pass for a line of the gate's."""
    return " ".join(text.splitlines())


class WrongUse(GateError):
    """The command line or pytest.ini is wrong: correct it, as the sentence says."""


class EngineUnavailable(GateError):
    """The Docker engine does not answer, or not in time: start it, or make room for it."""

    usual_remedy = "start the Docker engine, or make room for it (`docker system df`), and run the gate again"


class ImageUnavailable(GateError):
    """The image cannot be built or found: correct the Dockerfile or the reference."""

    usual_remedy = "correct the Dockerfile or the reference, and run the gate again"


class SandboxFailure(GateError):
    """The Lambda sandbox itself could not be run, so nothing is known about the image."""

    usual_remedy = "see whether the engine has memory and disk left, and run the gate again"


class AwsRefused(GateError):
    """AWS, or the registry, refused a call: credentials, permissions or its rules."""

    usual_remedy = "correct what it names (credentials, permissions, the repository's rules), and run the gate again"


class ScanUnavailable(GateError):
    """There is no finished, readable vulnerability scan of the checked digest."""

    usual_remedy = "see in the ECR console whether the digest is scanned, and run the gate again when it is"


class EvidenceDamaged(GateError):
    """Recorded evidence is missing, altered or unreadable: record it again."""

    usual_remedy = "run the gate again: it records the evidence again"
