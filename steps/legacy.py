"""The wording of the scenarios about the zip function that production runs on."""

from pytest_bdd import given, then, when

from gate.check import require
from gate.legacy.cloudtrail import check_trail
from gate.legacy.snapshot import check_untouched, differences
from gate.legacy.traffic import check_traffic
from gate.legacy.zip_pipeline import check_pipeline, read_pipeline
from gate.registry.permitted_calls import check_zip_calls


@given("the zip function's baseline, taken before anything was pushed")
def zip_baseline(legacy_before, evidence):
    """Taken and kept by the publishing run."""
    asked = f"aws lambda get-function --function-name {legacy_before.name}; list-…; aws events describe-rule …"
    evidence.add("baseline of the zip function", legacy_before, asked=asked)


@when("the zip function is read again")
def zip_read_again(legacy_before, legacy_now, evidence):
    """Every field that differs, by its path."""
    found = {"now": legacy_now, "differences": differences(legacy_before, legacy_now)}
    evidence.add("zip function now", found, asked=f"aws lambda get-function --function-name {legacy_now.name}; …")


@then("code, configuration, versions, aliases, layers, triggers and rules are the same")
def zip_untouched(legacy_before, legacy_now):
    """Each changed field is named with both values."""
    require(check_untouched(legacy_before, legacy_now))


@when("the calls of this run are looked through for it", target_fixture="changing_calls")
def calls_looked_through(call_log, evidence):
    """Those that are not known to only read."""
    changing = [call for call in call_log.calls if call.changes_something]
    return evidence.add("calls that change something", changing, asked="the call log of this run")


@then("none of them changes a function, a trigger or a schedule")
def no_call_on_zip(call_log, release):
    """Refused calls changed nothing."""
    require(check_zip_calls(call_log.calls, release.zip_function))


@given("the files of the zip pipeline that pytest.ini names")
def zip_files(release, evidence):
    """None when the checked repository holds no zip pipeline."""
    evidence.add("files of the zip pipeline", release.zip_paths, asked="pytest.ini, zip_paths")


@when("git compares them with the last release tag", target_fixture="pipeline")
def git_compares(checked_repository, release, evidence):
    """Including changes that are not committed."""
    pipeline = read_pipeline(checked_repository, release.zip_paths, release.release_tag)
    return evidence.add("zip pipeline in git", pipeline, asked=f"git diff --name-status {pipeline.since} -- zip_paths")


@then("none of them differs")
def pipeline_unchanged(pipeline):
    """And none is missing."""
    require(check_pipeline(pipeline))


@when("CloudTrail is asked about the function and its rules", target_fixture="trail")
def cloudtrail_asked(release_client, legacy_before, evidence):
    """Including the gate's own reading, as a positive control."""
    asked = "aws cloudtrail lookup-events --lookup-attributes EventSource=…"
    return evidence.add("CloudTrail", release_client.trail(legacy_before), asked=asked)


@then("it shows our own reading of the function, and no change")
def trail_silent(trail, legacy_before):
    """A trail without the gate's own reading would not show a change either."""
    require(check_trail(trail, legacy_before.name))


@when("CloudWatch is asked for its invocations and errors", target_fixture="traffic")
def cloudwatch_asked(release_client, legacy_before, evidence):
    """The day before the baseline, and since."""
    traffic = release_client.traffic(legacy_before)
    evidence.add(
        "traffic", dict(zip(("before", "since"), traffic, strict=True)), asked="aws cloudwatch get-metric-data"
    )
    return traffic


@then("it was invoked since, and fails no more often than before")
def traffic_went_on(traffic, legacy_before):
    """Production traffic continues."""
    require(check_traffic(*traffic, legacy_before.name))
