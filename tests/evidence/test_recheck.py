"""The verdict is decided again from the observations: fitting hashes and an edited run record are not enough."""

import json
from dataclasses import replace

import pytest

from gate.check import SelfTest
from gate.evidence import recheck
from gate.evidence.__main__ import main
from gate.evidence.run_record import overridden
from gate.verdict import CRITERIA, ScenarioOutcome, StepOutcome
from tests.evidence.conftest import CALL, DIGEST, MANIFEST, OBSERVED, RELEASE, configured, run_record, step

SCAN = OBSERVED[7][1]
CRITICAL = {"id": "CVE-9", "severity": "CRITICAL", "closed": False}


def seen(leave, folder, capsys, **changed):
    """What verifying says of a run whose hashes all fit: an objection to its observations, or nothing."""
    code = main([str(leave(folder, **changed))])
    out = capsys.readouterr().out
    assert code in {1, 3}
    return [line.partition(": ")[2] for line in out.splitlines() if line.startswith("✗ ")]


HARMLESS = {
    "as it is": {},
    "a failed run with a critical finding": {
        "observed": {7: ("scan behind latest", {**SCAN, "findings": [CRITICAL]})}, "trouble": ("crash",)},
    "a closed critical finding": {
        "observed": {7: ("scan behind latest", {**SCAN, "findings": [{**CRITICAL, "closed": True}]})}},
    "a finding that nobody has rated yet": {
        "observed": {7: ("scan behind latest", {**SCAN, "findings": [{**CRITICAL, "severity": "UNTRIAGED"}]})}},
    "a continuous scan that is three days old": {
        "observed": {7: ("scan behind latest", {**SCAN, "mode": "ENHANCED", "read_at": "2026-01-05T00:00:00+00:00"})}},
    "a scan just under a day old": {
        "observed": {7: ("scan behind latest", {**SCAN, "read_at": "2026-01-03T00:59:59+00:00"})}},
    "a scanner's clock that is four minutes ahead": {
        "observed": {7: ("scan behind latest", {**SCAN, "read_at": "2026-01-02T00:56:00+00:00"})}},
    "another image and tag beside it": {
        "observed": {3: ("images", [*OBSERVED[3][1], {"digest": "sha256:x", "tags": ["v0"], "size_bytes": 1}])}},
    "a night": {"kind": "rescan", "release": {"digest": DIGEST, "tags": ["v1.0.0"]}},
    "a scenario that only AWS can prove": {"outcomes": (
        *run_record().outcomes, ScenarioOutcome("only aws", 7, "not run", "only AWS", only_aws=True))},
    "a release tag that was asked for": {"configuration": configured(
        release={**RELEASE, "release_tag": "v2"}, stated={**RELEASE, "release_tag": "v1"},
        given={"release_tag": "v2"})},
}  # fmt: skip


@pytest.mark.parametrize("changed", HARMLESS.values(), ids=HARMLESS)
def test_what_is_true_stays_green(leave, tmp_path, capsys, changed):
    """No observation is held against a verdict that does not rest on it."""
    assert seen(leave, tmp_path, capsys, **changed) == []


def passing(outcome):
    """The outcomes of a run, the last one another."""
    return {"outcomes": (*run_record().outcomes[:-1], outcome)}


FORGED = {
    "a critical finding": (
        {"observed": {7: ("scan behind latest", {**SCAN, "findings": [CRITICAL]})}},
        "a scan of the release holds 1 critical findings (CVE-9)"),
    "a critical finding in small letters": (
        {"observed": {7: ("scan behind latest", {**SCAN, "findings": [{**CRITICAL, "severity": "critical "}]})}},
        "a scan of the release holds 1 critical findings (CVE-9)"),
    "a critical finding of a night": (
        {"observed": {7: ("scan behind latest", {**SCAN, "findings": [CRITICAL]})}, "kind": "rescan"},
        "a scan of the release holds 1 critical findings (CVE-9)"),
    "a scan of another digest": (
        {"observed": {7: ("scan behind latest", {**SCAN, "digest": "sha256:other"})}},
        f"a scan is of sha256:other, and the release is {DIGEST}"),
    "a critical finding before the tags were given": (
        {"observed": {8: ("scan of the checked digest", {**SCAN, "findings": [CRITICAL]})}},
        "a scan of the release holds 1 critical findings (CVE-9)"),
    "a scan that is a day old": (
        {"observed": {7: ("scan behind latest", {**SCAN, "read_at": "2026-01-03T01:00:00+00:00"})}},
        "a scan that ended at 2026-01-02T01:00:00+00:00 was read at 2026-01-03T01:00:00+00:00: it is not of that day"),
    "a scan that ends after it was read": (
        {"observed": {7: ("scan behind latest", {**SCAN, "read_at": "2026-01-02T00:54:00+00:00"})}},
        "a scan that ended at 2026-01-02T01:00:00+00:00 was read at 2026-01-02T00:54:00+00:00: it is not of that day"),
    "a scan that never ended": (
        {"observed": {7: ("scan behind latest", {**SCAN, "completed_at": None})}},
        "a scan of the release does not say when it ended or was read"),
    "no scan": ({"observed": {7: ("look", {})}}, f"no scan of {DIGEST} was recorded"),
    "a later time of the scan": (
        {"scan_completed_at": "2026-02-02T01:00:00+00:00"},
        "the run says that its scan ended at 2026-02-02T01:00:00+00:00, and no recorded scan did"),
    "another digest": (
        {"release": {**run_record().release, "digest": "sha256:" + "a" * 64}},
        f"a scan is of {DIGEST}, and the release is sha256:{'a' * 64}"),
    "another manifest": (
        {"observed": {2: ("manifest", {"digest": DIGEST, "body": MANIFEST + " "})}},
        "the recorded manifest has the digest sha256:"),
    "no manifest": ({"observed": {2: ("look", {})}}, "no manifest was recorded"),
    "a tag on another image": (
        {"observed": {3: ("images", [{"digest": "sha256:x", "tags": ["latest", "v1.0.0"], "size_bytes": 300}])}},
        "the tag latest was on sha256:x when the repository was listed, not on the release"),
    "a tag that nobody saw": (
        {"release": {**run_record().release, "tags": ["v9"]}},
        "the tag v9 was on no image when the repository was listed, not on the release"),
    "no list of images": ({"observed": {3: ("look", {})}}, "no list of the repository's images was recorded"),
    "another compressed size": (
        {"release": {**run_record().release, "size_bytes": 1}}, "the registry gave 300 bytes for the release, not 1"),
    "a size of 10 GB": (
        {"release": {**run_record().release, "uncompressed_bytes": 10_000_000_000}},
        "the image is 10.00 GB uncompressed, and the limit is 10 GB"),
    "no size": (
        {"release": {**run_record().release, "uncompressed_bytes": None}},
        "the uncompressed size of the image is not known (0 bytes)"),
    "a passed scenario with a failed step": (
        passing(ScenarioOutcome("scenario 9", 9, "passed", steps=(StepOutcome("Then", "x", "failed", 0.1, (9,)),))),
        "“scenario 9” is recorded as passed, and not all of its steps are"),
    "a passed scenario without steps": (
        passing(ScenarioOutcome("scenario 9", 9, "passed")),
        "“scenario 9” is recorded as passed, and not all of its steps are"),
    "a passed scenario without an observation": (
        passing(ScenarioOutcome("scenario 9", 9, "passed", steps=(StepOutcome("Then", "x", "passed", 0.1),))),
        "“scenario 9” is recorded as passed, and no observation was recorded for it"),
    "a scenario that rests on another's record": (
        passing(ScenarioOutcome("scenario 9", 9, "passed", steps=(step(1),))),
        "“scenario 9” rests on record 1, which is of “scenario 1”"),
    "a scenario that rests on nothing": (
        passing(ScenarioOutcome("scenario 9", 9, "passed", steps=(step(99),))),
        "“scenario 9” rests on record 99, which is missing"),
    "a check that accepted": (
        {"proofs": (SelfTest("j", True, "accepted it"),)},
        "the check j is recorded to have said no, and its answer was: accepted it"),
    "a check that crashed": (
        {"proofs": (SelfTest("j", True, "crashed: KeyError"),)},
        "the check j is recorded to have said no, and its answer was: crashed: KeyError"),
    "a check counted twice": (
        {"proofs": (SelfTest("j", True, "no"), SelfTest("j", True, "no"))},
        "a check is counted twice among those that said no"),
    "an override that is kept back": (
        {"configuration": configured(release={**RELEASE, "function_memory_mb": "3008"})},
        "the record of the run does not say that function_memory_mb is 3008 in this run, and pytest.ini states 512"),
    "fewer scenarios than are pinned": (
        {"configuration": configured(pinned=(*(f"scenario {n}" for n in CRITERIA), "one more"))},
        "the run was not due to check the pinned scenario “one more”"),
    "a repository that the calls were not about": (
        {"configuration": configured(release={**RELEASE, "repository": "x"}, stated={**RELEASE, "repository": "x"})},
        "The run called ecr:PutImage on app:v1.0.0 (ok), which a release may not"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "sentence"), FORGED.values(), ids=FORGED)
def test_an_observation_that_contradicts_the_verdict_is_told(leave, tmp_path, capsys, changed, sentence):
    """All hashes fit, and the recorded outcomes say yes."""
    causes = seen(leave, tmp_path, capsys, **changed)
    assert any(sentence in cause for cause in causes), causes


def test_a_simulation_in_a_run_on_aws_is_told(run_record):
    """A rehearsal whose target was renamed."""
    records = [{"number": n, "scenario": f"scenario {n}", "target": "local"} for n in CRITERIA]
    found = run_record(target="aws")
    seventh = replace(found.outcomes[6], provenance="simulated")
    found = replace(found, outcomes=(*found.outcomes[:6], seventh, *found.outcomes[7:]))
    causes = [each.cause for each in recheck.scenarios_rest_on_records(found, records).rejections]
    assert causes == [
        "the run's target is aws, and records of it say local",
        "“scenario 7” passed against a simulation, and the run claims to have asked AWS",
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"operation": "BatchDeleteImage"},
        {"resource": "other:v1"},
        {"service": "lambda", "operation": "UpdateFunctionCode", "resource": "old"},
    ],
)
def test_a_call_that_a_release_may_not_make_is_told(call):
    """From the call log itself."""
    assert not recheck.call_log_holds([CALL, {**CALL, **call}], "app", "old").accepted
    assert recheck.call_log_holds([CALL], "app", "old").accepted


def test_without_a_ledger_nothing_is_known_of_changes(leave, tmp_path, capsys, seal_again):
    """The record was taken out and the others were numbered anew."""
    folder = leave(tmp_path)
    (folder / "evidence" / "010-every-aws-call-of-the-run.json").unlink()
    for old, new in ((11, 10), (12, 11)):
        (path,) = (folder / "evidence").glob(f"{old:03d}-*")
        content = {**json.loads(path.read_text()), "number": new}
        path.unlink()
        path.with_name(path.name.replace(f"{old:03d}", f"{new:03d}")).write_text(json.dumps(content))
    seal_again(folder)
    assert main([str(folder)]) == 1
    assert "✗ observations: The call log is empty" in capsys.readouterr().out


def test_an_overridden_run_that_says_so_is_incomplete_and_intact(leave, tmp_path, capsys):
    """It is what the run left, and no yes."""
    found = configured(release={**RELEASE, "function_memory_mb": "3008"})
    folder = leave(tmp_path, configuration=found, overridden=overridden(found), target="aws")
    assert main([str(folder)]) == 3
    assert "it says INCOMPLETE" in capsys.readouterr().out
