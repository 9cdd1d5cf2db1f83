"""From a run to what its page shows: the head of the report, in the words of the release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gate.errors import GateError
from gate.report.figures import figures
from gate.report.findings import FindingsTable, findings
from gate.report.page import ReportPage, render
from gate.scan.exceptions.reading import load

if TYPE_CHECKING:
    from gate.run.model import Facts, Run

GB = 1_000_000_000


def page_of(run: Run) -> str:
    """The HTML of a finished run."""
    if run.results is None:
        return "<p>The run ended before a verdict was reached.</p>"
    return render(
        ReportPage(
            run.results.verdict,
            run.results.document,
            headline(run),
            summary(run),
            figures(run),
            run.outcomes,
            run.store.records,
            run.proofs,
            run.not_part,
            _findings(run),
            run.facts.warnings,
        )
    )


def _findings(run: Run) -> FindingsTable | None:
    report = run.facts.scan_report
    if report is None:
        return None
    try:
        register = load(run.options.image_context / "exceptions.yaml").at(run.exception_scope, datetime.now(UTC).date())
    except GateError:  # AC9 says why; the list says that the decisions are unknown
        register = None
    return findings(report, register)


def headline(run: Run) -> str:
    """The verdict's second line: what was checked, where, and what the word does not cover."""
    release, facts = run.release, run.facts
    where = {"aws": "AWS", "local": "the local target", "aws-rehearsal": "an endpoint that is not AWS"}[run.target]
    only_aws = len(run.results.verdict.only_aws) if run.results else 0
    rest = f", without the {only_aws} scenario{'s' * (only_aws > 1)} that only AWS can prove" if only_aws else ""
    # Before it is published it has no digest. Its ID looks like one, and nothing can be deployed by it.
    named = facts.digest[:19] or (f"image ID {facts.image_id[:19]}" if facts.image_id else "")
    checked = f" ({named}…)" if named else ""
    parts = f"; {len(run.not_part)} are left out as no part of this release" if run.not_part else ""
    return f"{release.repository} {release.release_tag}{checked} on {where}{rest}{parts}{_all_the_same(run)}"


def _all_the_same(run: Run) -> str:
    """That a refused release is out: its tags were set before the rest was checked, or by an earlier run."""
    refused = run.results is not None and run.results.verdict.word in ("NO-GO", "REHEARSAL FAILED")
    tags = [tag for tag in run.facts.tags if refused and tag != run.release.candidate_tag]
    return f"; {' and '.join(tags)} name it all the same" if tags else ""


def deploy_command(run: Run) -> str:
    """How Story 5.2 deploys what was checked: by digest, never by a tag that may move."""
    release = run.release
    uri = f"{release.repository_uri}@{run.facts.digest}"
    architecture = {"linux/arm64": "arm64"}.get(release.platform, "x86_64")
    return (
        f"aws lambda create-function --function-name {release.function_name} --package-type Image "
        f"--code ImageUri={uri} --role {release.role_arn(release.lambda_role)} "
        f"--memory-size {release.memory_mb} --timeout 300 --architectures {architecture} --region {release.region}"
    )


def summary(run: Run) -> list[tuple[str, str]]:
    """The facts that QA looks for first, as name and text."""
    facts = run.facts
    withdrawn = f"the candidate {facts.unpromoted} was not promoted" if facts.unpromoted else ""
    pushed_at = facts.publication.pushed_at if facts.publication else ""
    return [
        ("Repository", run.release.repository_uri),
        ("Tags", ", ".join(facts.tags) or withdrawn or "nothing was published"),
        ("Digest", facts.digest or withdrawn or "nothing was published"),
        ("Image ID", facts.image_id or "no image was checked"),
        ("Size", _sizes(facts)),
        *([("Published now", facts.standing)] if facts.standing else []),
        *(("Note", sentence) for sentence in facts.remarks),
        ("Pushed at", _moment(pushed_at)),
        ("Run by", facts.identity or "no AWS identity was used"),
        ("Profile", run.options.profile or "the ordinary AWS chain"),
        ("Target", _target(run)),
        ("Run", f"{run.kind}, started {_moment(run.started)}"),
        *([("Deploy (Story 5.2)", deploy_command(run))] if run.results and run.results.verdict.word == "GO" else []),
    ]


def _moment(at: datetime | str | None) -> str:
    if not at:
        return "nothing was published"
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _sizes(facts: Facts) -> str:
    whole, packed = facts.uncompressed_bytes, facts.size_bytes
    parts = [f"{whole / GB:.2f} GB uncompressed"] if whole else ["unknown"]
    return ", ".join([*parts, *([f"{packed / GB:.2f} GB compressed"] if packed else [])])


def _target(run: Run) -> str:
    if run.target == "local":
        return "local: registry, ECR API, scanner and AWS services are simulated; the image is really built and run"
    if run.target == "aws":
        return "aws"
    elsewhere = "; ".join(map(str, run.endpoint_recorder.elsewhere))
    return f"aws, with an endpoint that is not AWS: a rehearsal ({elsewhere})"
