"""VALIDATION.md: the deployment notes of a release, rendered from the evidence and read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.text import for_markdown

_ROW = re.compile(r"^\| ([A-Za-z][A-Za-z ()]*) \| `?([^`|\n]*)`? \|$", re.M)
_LINK = re.compile(r"\]\((?P<path>[^)\s]+)\) `sha256:(?P<sha>[0-9a-f]{64})`")
_STEPS = "the steps of the release"
# What would end a cell, the code in it, or the line.
_IN_CODE = str.maketrans({"|": "¦", "`": "'", "\n": " "})
_AGAIN = "run the gate again: it writes notes and records together"
PREFACE = """# Validation

The human record of each release, rendered from the evidence of the run that released it. Sections between
`release-gate` markers are written by the gate; whatever stands outside them is kept.
Stories 5.2–5.6 take the digest from the metadata table of their release, never from a tag.
"""


@dataclass(frozen=True)
class ReleaseStep:
    """One step as it was run: the command, who ran it, when (UTC), and what came of it."""

    command: str
    identity: str
    at: str
    seconds: float
    outcome: str


def render(title: str, head: Sequence[str], metadata: Mapping[str, str], chapters: Mapping[str, str]) -> str:
    """The Markdown of a release's section.

    Args:
        title: of the section.
        head: the verdict and where it was reached, a sentence each.
        metadata: name → text of the image metadata table; AC3's facts among them.
        chapters: heading → Markdown that is safe already.
    """
    rows = [(name, code(value)) for name, value in metadata.items()]
    parts = [f"## {for_markdown(title)}", *map(for_markdown, head), table(("Image metadata", "Value"), rows)]
    return "\n\n".join([*parts, *(f"### {heading}\n\n{body.strip()}" for heading, body in chapters.items())])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are safe already; a sentence when there are no rows."""
    if not rows:
        return "None was recorded."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str) -> str:
    """The text as code, in a cell of its own."""
    return f"`{text.translate(_IN_CODE) or 'unknown'}`"


def commands(steps: Sequence[ReleaseStep]) -> str:
    """The table of the steps, in the order they were run."""
    rows = [
        (str(n), code(each.command), code(each.identity), each.at, f"{each.seconds:.1f}", for_markdown(each.outcome))
        for n, each in enumerate(steps, 1)
    ]
    return table(("#", "Command", "Run by", "At (UTC)", "Seconds", "Outcome"), rows)


def link(path: str, sha256: str) -> str:
    """A link to an evidence file with its hash, as `links_in` reads it back."""
    return f"[{path.rpartition('/')[2]}]({path}) `sha256:{sha256}`"


def metadata_in(section: str) -> dict[str, str]:
    """The metadata table, read back from a section."""
    head = section.partition("### ")[0]
    return {name: value for name, value in _ROW.findall(head) if name != "Image metadata"}


def links_in(section: str) -> dict[str, str]:
    """Every linked evidence file with the hash that is written beside it."""
    return {found["path"]: found["sha"] for found in _LINK.finditer(section)}


@check(3, known_bad=lambda: ({"Digest": "sha256:a"}, {"Digest": "sha256:b"}, "VALIDATION.md"))
def says_what_ecr_says(said: Mapping[str, str], answered: Mapping[str, str], where: str) -> CheckResult:
    """Each documented fact is the one that ECR answers now."""
    if not answered:
        return reject("ECR answered no fact to hold the document against", where, "see why AC2 could not be checked")
    return CheckResult.of(
        Rejection(
            f"{where} says {name} is {said.get(name, 'nothing')!r}, and ECR answers {value!r}",
            where=where,
            remedy="run the gate again: the document is rendered from its evidence, never by hand",
        )
        for name, value in answered.items()
        if said.get(name) != value
    )


@check(8, known_bad=lambda: ([ReleaseStep("docker push x", "arn", "2026", 1.0, "running")], ("docker build",)))
def steps_recorded(steps: Sequence[ReleaseStep], wanted: Sequence[str]) -> CheckResult:
    """Every kind of step was recorded, with command, identity, time and an outcome."""
    missing = [kind for kind in wanted if not any(kind in step.command for step in steps)]
    gaps = [
        Rejection(f"no step with `{kind}` was recorded", _STEPS, "run the whole release: `make accept`")
        for kind in missing
    ]
    gaps += [
        Rejection(f"the record of `{step.command}` lacks its {name}", _STEPS, _AGAIN)
        for step in steps
        for name, text in (("command", step.command), ("identity", step.identity), ("time", step.at))
        if not text
    ]
    gaps += [
        Rejection(f"`{step.command}` was begun, and no outcome was recorded", _STEPS, _AGAIN)
        for step in steps
        if not step.outcome or step.outcome == "running"
    ]
    return CheckResult.of(gaps)


@check(8, known_bad=lambda: ({"evidence/1.json": "a"}, {"evidence/1.json": "b"}))
def links_hold(said: Mapping[str, str], found: Mapping[str, str]) -> CheckResult:
    """Every link resolves to a file whose sha-256 is the written one, and there is at least one link."""
    if not said:
        return reject("the section links to no evidence", "VALIDATION.md", _AGAIN)
    return CheckResult.of(
        Rejection(
            f"{path} {'was altered since it was linked' if path in found else 'does not exist'}",
            where="VALIDATION.md",
            remedy="restore the file from the run's artefact, or run the gate again",
        )
        for path, sha in said.items()
        if found.get(path) != sha
    )


@check(8, known_bad=lambda: ({"report.html": ("the registry password",)},))
def holds_no_secret(found: Mapping[str, Sequence[str]]) -> CheckResult:
    """No artefact of the run holds a secret (`found`: file → the kinds of secret in it)."""
    return CheckResult.of(
        Rejection(
            f"{path} holds {', '.join(kinds)}",
            where=path,
            remedy="delete the file, revoke the secret, and report it: redaction has a hole",
        )
        for path, kinds in found.items()
        if kinds
    ) + (ACCEPTED if found else reject("no artefact was searched for secrets", "reports/", _AGAIN))


@check(3, known_bad=lambda: ("## v1.0.0", "This is the first release."))
def tells(section: str, sentence: str) -> CheckResult:
    """The section says this sentence."""
    if sentence and sentence in section:
        return ACCEPTED
    return reject(f"the deployment notes do not say {sentence!r}", where="VALIDATION.md", remedy="run the gate again")


@check(8, known_bad=lambda: ("sha256:a", {"001-scan.json": "sha256:b"}, "sha256:a"))
def one_digest(said: str, records: Mapping[str, str], published: str) -> CheckResult:
    """The notes and every record about the published image name one digest."""
    if not records:
        return reject("no record about the published image is on disk", "evidence/", _AGAIN)
    found = {"VALIDATION.md": said, **records}
    return CheckResult.of(
        Rejection(f"{name} is about {digest or 'no digest'}, and {published} was published", name, _AGAIN)
        for name, digest in found.items()
        if digest != published
    )
