"""Publishing and verifying with AWS's options, under exactly the documented policies, against what is not AWS."""

import json
import re

import pytest

from gate.caller_permissions.__main__ import ROOT
from gate.caller_permissions.required import PUBLISHING, VERIFYING, missing
from gate.options import Options
from gate.publish.plan import planned_actions
from gate.publish.release_log import WHOAMI
from gate.registry.permitted_calls import AwsCall
from gate.release_file import release_of
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker
BUILT = "The image is built from the repository's Dockerfile"
FROM = "Every FROM of the Dockerfile names an approved base"
STEPS = "Every build, push and scan step is recorded with command, identity, time and outcome"
ZIP = ("The zip function is what it was before the release", "No call of this run could have changed the zip function")
ONLY_AWS = {
    "The approved base is the one that AWS publishes",
    "CloudTrail saw no change of the zip function since the baseline",
    "The zip function went on being invoked without new errors",
    "The vulnerability data is current",
    "Chrome's pin is current",
}
# What only AWS is asked: its own records, and Inspector's.
ASKED_OF_AWS_ALONE = {
    "cloudtrail:LookupEvents",
    "cloudwatch:GetMetricData",
    "inspector2:ListCoverage",
    "inspector2:ListFindings",
}
# Asked only where the registry signs or replicates what is pushed, which the seeded one does not.
ASKED_WHERE_CONFIGURED = {"ecr:DescribeImageReplicationStatus", "ecr:DescribeImageSigningStatus"}
# The scenarios that rest on what the publishing run left behind.
RESTING_ON_IT = "dockerfile or zip_function_is or no_call or every_build"


def calls_of(ran):
    """Every AWS call of a run, but for those with which it found out what it may."""
    calls = [AwsCall(**call) for call in ran.record("every AWS call of the run")]
    return calls[ran.record("preflight")["calls that it took"] :]


@pytest.fixture(scope="module")
def verified(gate, released):
    """A run that only verifies, as the role that can push nothing, with the publishing run's evidence at hand."""
    return gate.run("-k", f"ac2 or ac4 or {RESTING_ON_IT}", role=SEEDED.night_role)


@pytest.fixture(scope="module")
def verified_blindly(gate, released, tmp_path_factory):
    """The same where that evidence is missing."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    return gate.run("-k", RESTING_ON_IT, role=SEEDED.night_role, reports=elsewhere)


def test_publishing_passes_and_says_that_it_was_a_rehearsal(released):
    """Every scenario that does not need AWS is proven; the word is not GO."""
    assert released.code == 0, released.screen
    assert released.verdict["verdict"] == "REHEARSAL PASSED"
    assert (released.verdict["target"], released.verdict["endpoint_is_aws"]) == ("aws", False)
    assert set(released.verdict["only_aws"]) == ONLY_AWS
    assert released.verdict["valid_until"] is None
    assert "on an endpoint that is not AWS" in released.screen
    seen = released.record("where every AWS client of the run asked")["endpoints"]
    assert {each["service"] for each in seen} >= {
        "ecr",
        "sts",
        "iam",
        "lambda",
        "cloudtrail",
        "the registry that ecr names",
    }
    assert not any(each["AWS's own"] for each in seen)
    assert f"cloudtrail in {SEEDED.region}: http://127.0.0.1:" in released.screen


def test_the_identity_is_shown_and_the_notes_are_a_rehearsals(released):
    """Who ran it stands in the evidence and in the notes; AWS's own section is not touched."""
    identity = f"arn:aws:sts::{SEEDED.account}:assumed-role/{SEEDED.ci_role}/rehearsal"
    assert identity in released.screen
    notes = (released.folder / "VALIDATION.md").read_text(encoding="utf-8")
    assert identity in notes
    assert "aws-rehearsal" in notes
    assert "It never stands for a release" in notes


def test_the_plan_named_in_order_what_publishing_then_did(released):
    """--plan, held against the steps that the run recorded; digests and build arguments are known only then."""
    values = dict.fromkeys(Options.__dataclass_fields__)
    asked = {"target": "aws", "image_context": ROOT / "image", "publish": True, "plan": True, "no_attach": True}
    options = Options(**{**values, "scan_timeout": 900, "build_timeout": 1800, "engine_timeout": 300, **asked})
    planned = [shape(action.command) for action in planned_actions(options, release_of(ROOT / "pytest.ini"), "full")]
    done = [
        shape(step["command"])
        for step in json.loads((released.folder / "evidence" / "steps.json").read_text())["steps"]
    ]
    assert [command for command in done if command not in planned] == []
    # The caller is asked for first of all, and once more by whoever publishes.
    places = [planned.index(command) for command in done if command != WHOAMI]
    assert places == sorted(places)


def shape(command):
    """A command without what only the run knows."""
    known = re.sub(r"'?sha256:[^\s']+'?", "D", re.sub(r"'imageDigest=sha256:…'", "imageDigest=sha256:…", command))
    return re.sub(r"^docker build .*", "docker build", known)


def test_every_call_of_publishing_is_covered_by_its_policy_and_every_permission_is_used(released):
    """The policies grant exactly the calls in the call log, and those that only AWS itself answers."""
    calls = calls_of(released)
    assert missing(calls, PUBLISHING) == ()
    used = {f"{call.service}:{call.operation}" for call in calls}
    assert {each.action for each in PUBLISHING} - used == ASKED_OF_AWS_ALONE | ASKED_WHERE_CONFIGURED


def test_verifying_rests_on_the_publishing_runs_evidence(verified):
    """Build, steps and baseline are the publishing run's; all scenarios that were selected hold."""
    assert verified.code == 0, verified.screen
    assert verified.verdict["verdict"] == "INCOMPLETE"  # a restricted run
    statuses = verified.statuses
    assert {name for name, status in statuses.items() if status != "passed"} <= ONLY_AWS
    assert {statuses[BUILT], statuses[FROM], statuses[STEPS], *(statuses[name] for name in ZIP)} == {"passed"}


def test_verifying_changes_nothing(verified):
    """Its calls are reads, all covered by its policy; a scan was not asked for by these scenarios."""
    calls = calls_of(verified)
    assert [str(call) for call in calls if call.changes_something] == []
    assert missing(calls, VERIFYING) == ()


def test_verifying_pulls_and_checks_the_published_digest(released, verified):
    """One digest from the publishing run to the verifying one, and the same image behind it."""
    published, checked = released.verdict["release"], verified.verdict["release"]
    assert (checked["digest"], checked["image_id"]) == (published["digest"], published["image_id"])


def test_without_the_publishing_runs_evidence_the_scenarios_say_so(verified_blindly):
    """Nobody knows how it was built: not run. Nobody can compare: failed."""
    assert verified_blindly.code == 1
    statuses, reasons = verified_blindly.statuses, verified_blindly.reasons
    assert (statuses[BUILT], statuses[FROM]) == ("not run", "not run")
    assert {statuses[STEPS], *(statuses[name] for name in ZIP)} == {"failed"}
    for name in (BUILT, FROM, STEPS, *ZIP):
        assert "no record of the run that published sha256:" in reasons[name]


def test_a_night_as_the_role_that_cannot_push(gate, released):
    """Scanned again, compared with the release's own scan, and clean."""
    night = gate.run("-m", "rescan", role=SEEDED.night_role)
    assert night.code == 0, night.screen
    assert night.verdict["verdict"] == "CLEAN"
    changes = {f"{call.service}:{call.operation}" for call in calls_of(night) if call.changes_something}
    assert changes <= {"ecr:StartImageScan"}
