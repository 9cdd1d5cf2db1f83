"""What a verdict says, decided again from the recorded observations where they allow it. Pure.

Whoever edits the recorded outcome of a scenario would also have to edit the observations beside it (a scan's findings,
a manifest, the call log) so that they fit. The verification names what is decided here; everything else rests on the
recorded outcomes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from gate.check import CheckResult, SelfTest, check, reject_each
from gate.evidence.run_record import VALID_FOR, Configuration, RunRecord, overridden
from gate.image.contract import below
from gate.registry.permitted_calls import AwsCall, check_changes, check_zip_calls
from gate.release import absent_parts
from gate.scan.findings import Severity
from gate.typed import moment
from gate.verdict import IMAGE_LIMIT_GB, ScenarioOutcome, StepOutcome

# How the titles of the records begin that hold a scan of what is released.
SCANS = ("scan of the checked digest", "scan behind ")
YES = ("GO", "REHEARSAL PASSED", "CLEAN")
_SKEW = timedelta(minutes=5)
_REMEDY = "do not rely on this verdict: run the gate again"
Records = Sequence[Mapping[str, Any]]

_BAD = {"title": "scan behind v1", "answer": {"digest": "sha256:b", "mode": "BASIC", "findings": [], "counts": []}}
_PASSED = ScenarioOutcome("scenario", 7, "passed", steps=(StepOutcome("Then", "it holds", "failed", 0.1, (1,)),))
_RUN = RunRecord(
    "aws", "full", True, frozenset(), (_PASSED,), (SelfTest("check", True, "accepted it"),), (),
    {"digest": "sha256:a", "tags": ["v1"], "uncompressed_bytes": 0}, "2026-01-01T00:00:00+00:00", None,
)  # fmt: skip


def titled(records: Records, title: str | tuple[str, ...]) -> Records:
    """The records whose title begins so, or in one of these ways."""
    return [record for record in records if str(record.get("title")).startswith(title)]


@check(8, known_bad=lambda: (_RUN, [{"number": 1, "scenario": "another", "target": "local"}]))
def scenarios_rest_on_records(run: RunRecord, records: Records) -> CheckResult:
    """Every scenario that passed did so in all its steps, by records that are its own and of this run's target."""
    known = {record.get("number"): record for record in records}
    causes = [cause for outcome in run.outcomes if outcome.status == "passed" for cause in _shaky(outcome, known)]
    elsewhere = sorted({str(record.get("target")) for record in records} - {run.target})
    if elsewhere:
        causes.append(f"the run's target is {run.target}, and records of it say {', '.join(elsewhere)}")
    if run.target == "aws" and run.endpoint_is_aws:
        causes += [
            f"“{outcome.name}” passed against a simulation, and the run claims to have asked AWS"
            for outcome in run.outcomes
            if outcome.status == "passed" and outcome.provenance != "real"
        ]
    return reject_each(causes, "the record of the run", _REMEDY)


def _shaky(outcome: ScenarioOutcome, known: Mapping[Any, Mapping[str, Any]]) -> Iterator[str]:
    if not outcome.steps or any(step.status != "passed" for step in outcome.steps):
        yield f"“{outcome.name}” is recorded as passed, and not all of its steps are"
    numbers = [number for step in outcome.steps for number in step.evidence]
    if not numbers:
        yield f"“{outcome.name}” is recorded as passed, and no observation was recorded for it"
    for number in numbers:
        scenario = known.get(number, {}).get("scenario")
        if scenario != outcome.name:
            yield f"“{outcome.name}” rests on record {number}, which is {f'of “{scenario}”' if scenario else 'missing'}"


@check(8, known_bad=lambda: ((SelfTest("check", True, "accepted it"), SelfTest("check", True, "no")),))
def self_tests_agree(proofs: Sequence[SelfTest]) -> CheckResult:
    """Each check is proven once, and one that said no has said why."""
    none = ("accepted it", "crashed: ")
    silent = [p for p in proofs if p.said_no and (not p.answer or p.answer.startswith(none))]
    said = "is recorded to have said no, and its answer was"
    causes = [f"the check {p.check} {said}: {p.answer or 'none'}" for p in silent]
    names = [p.check for p in proofs]
    if len(set(names)) != len(names):
        causes.append("a check is counted twice among those that said no")
    return reject_each(causes, "the record of the run, proofs", _REMEDY)


@check(7, known_bad=lambda: (_RUN, [_BAD]))
def scans_hold(run: RunRecord, records: Records) -> CheckResult:
    """Every scan of what was published is of its digest, had ended within a day, and holds nothing critical."""
    scans = [record["answer"] for record in titled(records, SCANS)]
    digest = run.release.get("digest")
    causes = [cause for scan in scans for cause in _scan_faults(scan, digest)]
    if not scans:
        causes.append(f"no scan of {digest} was recorded")
    ended = run.scan_completed_at
    basic = [scan.get("completed_at") for scan in scans if scan.get("mode") == "BASIC"]
    if basic and ended is not None and moment(ended) not in map(moment, filter(None, basic)):
        causes.append(f"the run says that its scan ended at {ended}, and no recorded scan did")
    return reject_each(dict.fromkeys(causes), "the records of the scans", _REMEDY)


def _scan_faults(scan: Mapping[str, Any], digest: Any) -> Iterator[str]:
    if scan.get("digest") != digest:
        yield f"a scan is of {scan.get('digest')}, and the release is {digest}"
    still_open = [each for each in scan["findings"] if not each.get("closed")]
    critical = [each for each in still_open if Severity.of(str(each.get("severity"))) is Severity.CRITICAL]
    if critical:
        named = ", ".join(sorted({str(each.get("id")) for each in critical})[:5])
        yield f"a scan of the release holds {len(critical)} critical findings ({named})"
    ended, read = (moment(scan[name]) if scan.get(name) else None for name in ("completed_at", "read_at"))
    if ended is None or read is None:
        yield "a scan of the release does not say when it ended or was read"
    # A continuous scan is looked at again when its data changes, not every day.
    elif ended - read > _SKEW or (scan.get("mode") == "BASIC" and read - ended >= VALID_FOR):
        yield f"a scan that ended at {scan['completed_at']} was read at {scan['read_at']}: it is not of that day"


@check(2, known_bad=lambda: (_RUN, [{"title": "manifest", "answer": {"digest": "sha256:a", "body": "{}"}}]))
def image_holds(run: RunRecord, records: Records) -> CheckResult:
    """The manifest has the released digest, every tag was on it, and sizes and limits are those of the record."""
    release = run.release
    causes = [*_manifest_faults(release, records), *_tag_faults(release, records)]
    size = release.get("uncompressed_bytes")
    fits = below(size if isinstance(size, int) else 0, IMAGE_LIMIT_GB, "uncompressed")
    return reject_each(causes, "the records of the registry", _REMEDY) + fits


def _manifest_faults(release: Mapping[str, Any], records: Records) -> Iterator[str]:
    manifests = [record["answer"] for record in records if record.get("title") == "manifest"]
    for manifest in manifests:
        made = f"sha256:{hashlib.sha256(manifest['body'].encode()).hexdigest()}"
        if made != release.get("digest"):
            yield f"the recorded manifest has the digest {made}, and the release is {release.get('digest')}"
    if not manifests:
        yield "no manifest was recorded"


def _tag_faults(release: Mapping[str, Any], records: Records) -> Iterator[str]:
    listings = [record["answer"] for record in records if record.get("title") == "images"]
    if not listings:
        yield "no list of the repository's images was recorded"
        return
    on = {tag: image["digest"] for image in listings[-1] for tag in image["tags"]}
    for tag in release.get("tags") or ():
        if on.get(tag) != release.get("digest"):
            yield f"the tag {tag} was on {on.get(tag, 'no image')} when the repository was listed, not on the release"
    size = {image["digest"]: image["size_bytes"] for image in listings[-1]}.get(release.get("digest"))
    if size != release.get("size_bytes"):
        yield f"the registry gave {size} bytes for the release, not {release.get('size_bytes')}"


@check(2, known_bad=lambda: ([], "repository", "function"))
def call_log_holds(calls: Iterable[Mapping[str, Any]], repository: str, function: str) -> CheckResult:
    """No recorded call changed anything but what a release may change; a release may have no zip function."""
    made = tuple(AwsCall(**call) for call in calls)
    changes = check_changes(made, repository)
    return changes + check_zip_calls(made, function) if function else changes


@check(8, known_bad=lambda: (_RUN, None))
def configuration_holds(run: RunRecord, found: Configuration | None) -> CheckResult:
    """What was overridden is in the record of the run, and a whole run was due to check every pinned scenario."""
    if found is None:
        return reject_each(["the configuration of the run was not recorded"], "evidence/", _REMEDY)
    kept = [text for text in overridden(found) if text not in run.overridden]
    causes = [f"the record of the run does not say that {text}" for text in kept]
    if run.kind == "full":
        left_out = {each.name for each in run.not_part}
        lacking = sorted(set(found.pinned) - run.expected - left_out)
        causes += [f"the run was not due to check the pinned scenario “{name}”" for name in lacking]
    causes += _not_left_out_rightly(run, found)
    return reject_each(causes, "the configuration of the run", _REMEDY)


def _not_left_out_rightly(run: RunRecord, found: Configuration) -> Iterator[str]:
    """Each scenario that was left out as no part of the release, although no empty key of pytest.ini says so."""
    reasons = set(absent_parts(found.release).values())
    for each in run.not_part:
        if each.reason not in reasons:
            yield f"“{each.name}” was left out as no part of the release, and no key that the run decided by says so"
        elif each.name in run.expected or any(outcome.name == each.name for outcome in run.outcomes):
            yield f"“{each.name}” is recorded as no part of the release, and as one of its scenarios"
