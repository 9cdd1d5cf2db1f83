"""Writing VALIDATION.md: this run's section, from its facts and evidence; once for AC3 and AC8, and at the end."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.causes import causes
from gate.errors import one_line
from gate.evidence.deployment_notes import (
    PREFACE,
    code,
    commands,
    link,
    metadata_in,
    render,
    replace,
    section,
    table,
    with_attempt,
)
from gate.evidence.store import EvidenceRecord, write_whole
from gate.report.view import deploy_command, headline
from gate.scan import remediation, scan_diff
from gate.scan.exceptions.entries import RegisterEntry
from gate.scan.records import read_all
from gate.text import for_markdown
from gate.verdict import CRITERIA, criterion_status

if TYPE_CHECKING:
    from gate.publish.publication import Publication
    from gate.run.model import Run

NAME = "VALIDATION.md"


@dataclass(frozen=True)
class NotesFile:
    """The deployment notes of a run: the file, and the key of its section."""

    path: Path
    key: str

    def section(self) -> str:
        """The section as it stands on the disk now ("" when there is none).

        Raises:
            EvidenceDamaged: its markers are broken.
        """
        return section(self.path.read_text(encoding="utf-8"), self.key) or "" if self.path.exists() else ""


def document_of(run: Run) -> NotesFile:
    """Where this run's section belongs: that of a release on AWS in the repository, any other beside its own report."""
    whole = run.kind != "partial" and run.target == "aws" and run.reports == run.root / "reports"
    part = {"rescan": ":nights", "promotion": ":promotion"}.get(run.kind, "")
    return NotesFile((run.root if whole else run.folder) / NAME, f"{run.release.release_tag}:{run.target}{part}")


def write(run: Run) -> NotesFile:
    """Render this run's section from what is known by now, and put it in its place.

    A nightly rescan has a section of its own and never replaces that of the release. A run that published nothing does
    not either: the digest that others deploy from here stays, and the attempt is noted below it.
    """
    found = document_of(run)
    before = found.path.read_text(encoding="utf-8") if found.path.exists() else PREFACE
    title = f"{run.release.repository} {run.release.release_tag}, target {run.target}"
    night = run.kind == "rescan"
    stands = section(before, found.key) or ""
    if night:
        body = _nights(run, title)
    elif run.kind == "promotion":
        body = _promotion(run, title)
    elif run.facts.publication is None and "Digest" in metadata_in(stands):
        body = with_attempt(stands, _attempt(run))
    else:
        body = _released(run, title, found.path.parent)
    write_whole(found.path, replace(before, found.key, body).encode())
    return found


def _attempt(run: Run) -> str:
    verdict = run.results.verdict if run.results else None
    word = verdict.word if verdict else "the run has not ended"
    first = next(iter(causes(run.outcomes)), None)
    reason = verdict.reasons[0] if verdict and verdict.reasons else "no reason is known yet"
    if first and verdict:
        reason = f"{first.counted}: {one_line(first.rejections[0].cause)}"
    return for_markdown(
        f"{run.started:%Y-%m-%d %H:%M:%S} UTC, {word}: {reason}. It released nothing; the above stands."
    )


def metadata(release: Publication) -> dict[str, str]:
    """AC3's facts, as text; the same function states what was written and what ECR answers."""
    return {
        "Digest": release.digest,
        "Tags": ", ".join(sorted(release.tags)),
        "Compressed size (bytes)": str(release.compressed_bytes),
        "Pushed at": release.pushed_at,
    }


def _released(run: Run, title: str, beside: Path) -> str:
    release = run.facts.publication
    facts = metadata(release) if release else {}
    extra = {
        "Uncompressed size (bytes)": str(run.facts.uncompressed_bytes or "unknown"),
        "Image ID": run.facts.image_id or "not checked in this run",
        "Repository": run.release.repository_uri,
        "Run by": run.facts.identity or "unknown",
        "AWS profile": run.options.profile or "the ordinary AWS chain",
    }
    verdict = run.results.verdict if run.results else None
    word = verdict.word if verdict else "the run has not ended"
    head = (
        f"Verdict: {word}. {headline(run)}.",
        f"Started {run.started:%Y-%m-%d %H:%M:%S} UTC.",
        *_real(run),
        *_not_part(run),
    )
    if word == "GO":
        extra["Deploy (Story 5.2)"] = deploy_command(run)
    scans = {r.title: _scan(run, r, beside) for r in run.store.records if r.title.startswith("scan behind ")}
    # Of records with one title the last.
    links = {r.title: _link(run, r, beside) for r in run.store.records if r.criterion in {2, 3, 4, 5, 7, 9}}
    chapters = {
        "Commands, in order": commands(run.steps),
        "Scans": table(("Tag", "Outcome", "Evidence"), list(scans.values())),
        "Criteria": table(("AC", "Status", "Scenarios passed"), _criteria(run)),
        "Found, mitigated, rescanned": remediation.markdown(remediation.remediations(read_all(run.scans, run.target))),
        "Exceptions": _exceptions(run),
        "Difference to the previous release": run.facts.difference or "Not compared yet.",
        "Evidence": "\n".join(f"- {for_markdown(title)}: {found}" for title, found in links.items()) or "None.",
    }
    return render(title, head, {**facts, **extra}, chapters)


def _real(run: Run) -> tuple[str, ...]:
    if run.provenance == "real":
        return ()
    return ("This is a rehearsal: registry, scan and AWS services are simulated. It never stands for a release.",)


def _not_part(run: Run) -> tuple[str, ...]:
    reasons = dict.fromkeys(each.reason for each in run.not_part)
    return tuple(
        f"{reason[0].upper()}{reason[1:]} ({sum(each.reason == reason for each in run.not_part)} scenarios)."
        for reason in reasons
    )


def _scan(run: Run, record: EvidenceRecord, beside: Path) -> tuple[str, str, str]:
    answer: dict[str, Any] = record.answer
    words = Counter(finding["severity"] for finding in answer.get("findings", []))
    counts = ", ".join(f"{count} {word}" for word, count in sorted(words.items())) or "no finding"
    outcome = f"{answer.get('status')} at {answer.get('completed_at')}: {counts} ({answer.get('provenance')})"
    return code(record.title.removeprefix("scan behind ")), for_markdown(outcome), _link(run, record, beside)


def _criteria(run: Run) -> list[tuple[str, str, str]]:
    rows = []
    for number in CRITERIA:
        own = [o for o in run.outcomes if o.criterion == number]
        passed = sum(o.status == "passed" for o in own)
        rows.append((f"AC{number}", criterion_status(own, run.exception_scope), f"{passed} of {len(own)}"))
    return rows


def _nights(run: Run, title: str) -> str:
    nightly = [record for record in read_all(run.scans, run.target) if record.event == "rescanned"]
    pairs = zip([None, *nightly], nightly, strict=False)
    log = "".join(scan_diff.log_row(scan_diff.compare(before, tonight)) for before, tonight in pairs)
    word = run.results.verdict.word if run.results else "the run has not ended"
    head = f"## Nightly rescans of {for_markdown(title)}\n\nLast night: {word}, {run.started:%Y-%m-%d %H:%M} UTC."
    return f"{head}\n\n{scan_diff.LOG_HEAD}{log}" if log else f"{head}\n\nNo night has been recorded."


def _promotion(run: Run, title: str) -> str:
    """That an accepted release was given the rolling tag again, or was not."""
    word = run.results.verdict.word if run.results else "the run has not ended"
    promotion, accepted = run.facts.promotion, run.facts.accepted
    lines = [f"{run.started:%Y-%m-%d %H:%M:%S} UTC, {word}: {headline(run)}."]
    if accepted:
        lines.append(f"It was accepted by the run reports/runs/{accepted.run}; nothing was built or pushed.")
    if promotion:
        before = f"; before, it named {promotion.rolling_before}" if promotion.rolling_before else ""
        lines.append(run.facts.standing or f"{promotion.rolling_tag} names {promotion.digest}{before}.")
    else:
        lines.append(f"{run.release.rolling_tag} was not moved.")
    return f"## Promotion by name of {for_markdown(title)}\n\n" + "\n\n".join(map(for_markdown, lines)) + "\n"


def _exceptions(run: Run) -> str:
    """The exceptions that are in force for this target, each with who answers for it and for how long."""
    register, report, today = run.facts.register, run.facts.scan_report, run.started.date()
    if register is None:
        return "The register of exceptions was not read in this run."
    target, rows = run.exception_scope, list[str]()
    for entry in (each for each in register.exceptions if each.is_for(target) and each.is_in_force(today)):
        used = sum(entry in register.at(target, today).about(finding) for finding in report.open) if report else 0
        said = f"{entry.id} in {entry.package.text}: {entry.decision}, {entry.rationale}"
        rows.append(_decided(entry, said, f"; used by {used} of this scan's findings"))
    for accepted in (each for each in register.support if each.is_in_force(today)):
        said = f"{accepted.what} is out of support: {accepted.reason}. Instead: {accepted.check}."
        rows.append(_decided(accepted, said))
    for vex in (each for each in register.vex if each.is_for(target) and each.is_in_force(today)):
        said = f"{vex.file} (sha256 {vex.sha256}), VEX of {vex.document.author}: {vex.reason}"
        rows.append(_decided(vex, said))
    return "\n".join(rows) or "None is in force."


def _decided(entry: RegisterEntry, said: str, used: str = "") -> str:
    who = f"Owner: {entry.owner}; reviewed by {entry.reviewer} on {entry.decided}; ends {entry.expires}"
    return f"- {for_markdown(f'{said} {who}{used}.')}"


def _link(run: Run, record: EvidenceRecord, beside: Path) -> str:
    path = run.store.kept / record.file_name
    digest = hashlib.sha256((run.store.folder / record.file_name).read_bytes()).hexdigest()
    return link(os.path.relpath(path, beside), digest)
