"""The zip function is read whole, and every change of it is found by name."""

import io
import json
import zipfile

import boto3
import pytest
from botocore.stub import Stubber

from gate.errors import AwsRefused
from gate.legacy.reader import ZipFunction, secret_hash
from gate.legacy.snapshot import check_untouched, differences, names_of

pytestmark = pytest.mark.slow

NAME, RULE = "naverplace_send_inform", "every-20-minutes"


def update(production, **settings):
    """Change the function's configuration."""
    production.functions.update_function_configuration(FunctionName=NAME, **settings)
    production.settled()


def new_code(production):
    """Other code under the same configuration."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context): return 2")
    production.functions.update_function_code(FunctionName=NAME, ZipFile=buffer.getvalue())
    production.settled()


def new_version(production):
    """A new version, and the alias moved to it."""
    new_code(production)
    version = production.functions.publish_version(FunctionName=NAME)["Version"]
    production.functions.update_alias(FunctionName=NAME, Name="live", FunctionVersion=version)


def other_target(production, **changes):
    """The rule's target changed."""
    target = production.events.list_targets_by_rule(Rule=RULE)["Targets"][0]
    production.events.put_targets(Rule=RULE, Targets=[{**target, **changes}])


def slower(production):
    """The rule fires every hour."""
    production.events.put_rule(Name=RULE, ScheduleExpression="rate(1 hour)", State="ENABLED")


CHANGES = {
    "code": (new_code, "configuration.CodeSha256"),
    "layer": (
        lambda p: update(p, Layers=[p.layer("chromedriver"), p.layers[1]]),
        "configuration.Layers.0.Arn",
    ),
    "layer removed": (lambda p: update(p, Layers=p.layers[:1]), "configuration.Layers.1.Arn"),
    "environment value": (
        lambda p: update(p, Environment={"Variables": {"API_KEY": "another", "STAGE": "prod"}}),
        "configuration.Environment.Variables.API_KEY",
    ),
    "memory": (lambda p: update(p, MemorySize=1024), "configuration.MemorySize"),
    "alias": (new_version, "aliases.live.FunctionVersion"),
    "permission": (
        lambda p: p.functions.remove_permission(FunctionName=NAME, StatementId="rule"),
        "policies.function",
    ),
    "concurrency": (
        lambda p: p.functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0),
        "concurrency.reserved",
    ),
    "rule's state": (lambda p: p.events.disable_rule(Name=RULE), f"rules.default/{RULE}.State"),
    "rule's schedule": (slower, f"rules.default/{RULE}.ScheduleExpression"),
    "rule's target": (
        lambda p: p.events.put_targets(
            Rule=RULE, Targets=[{"Id": "zip", "Arn": f"arn:aws:lambda:ap-northeast-2:654654307503:function:{NAME}_v2"}]
        ),
        f"rules.default/{RULE}",
    ),
    "rule's input": (lambda p: other_target(p, Input='{"k": "else"}'), f"rules.default/{RULE}.targets.zip.Input"),
    "another rule": (
        lambda p: (
            p.events.put_rule(Name="extra", ScheduleExpression="rate(1 minute)"),
            p.events.put_targets(Rule="extra", Targets=[{"Id": "1", "Arn": p.snapshot().function}]),
        ),
        "rules.default/extra",
    ),
}


def test_reading_changes_nothing_and_two_readings_are_equal(production):
    """No false alarm: without a change there is no difference."""
    before = production.snapshot()
    assert check_untouched(before, production.snapshot()).accepted
    assert before.facts["configuration"]["MemorySize"] == 512
    assert set(before.facts["versions"]) == {"1"}
    assert before.facts["aliases"]["live"]["FunctionVersion"] == "1"
    assert before.facts["rules"][f"default/{RULE}"]["ScheduleExpression"] == "rate(20 minutes)"
    assert before.facts["policies"]["function"]["Statement"]["rule"]["Principal"] == {"Service": "events.amazonaws.com"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_kind_of_change_is_found_by_its_name(production, change):
    """Code, layer, environment, alias, permission, concurrency, rule, schedule, target: field and both values."""
    make, field = change
    before = production.snapshot()
    make(production)
    now = production.snapshot()
    found = [each for each in differences(before, now) if each.field.startswith(field)]
    assert found, differences(before, now)
    words = "\n".join(map(str, check_untouched(before, now).rejections))
    assert f"{found[0].field} changed" in words
    assert found[0].before in words
    assert found[0].now in words


def test_secrets_are_compared_and_not_kept(production):
    """Environment values and rule inputs are kept as slow hashes; no presigned URL is kept."""
    text = json.dumps(production.snapshot().facts)
    for secret in ("top-secret-value", "s3cret", "X-Amz-Signature", "Location"):
        assert secret not in text
    assert secret_hash(f"{NAME}/API_KEY", "top-secret-value") in text


def test_a_function_that_does_not_exist_is_a_no_go(ministack):
    """There is no baseline of a function that does not exist."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-northeast-2")
    clients = [session.client(service, endpoint_url=ministack) for service in ("lambda", "events", "scheduler")]
    with pytest.raises(AwsRefused, match="no_such_function does not exist"):
        ZipFunction(*clients, "no_such_function", sleep=print, now=print).snapshot()


@pytest.mark.parametrize(
    ("statuses", "waits"), [(["InProgress"] * 60, 60), (["InProgress", "Failed"], 1), ([None] * 60, 60)]
)
def test_an_update_that_does_not_end_well_is_a_no_go(statuses, waits):
    """InProgress is waited for, two minutes at most; Failed and "unstated" are no baseline."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-northeast-2")
    client, slept = session.client("lambda"), []
    with Stubber(client) as stub:
        for status in statuses:
            stub.add_response("get_function_configuration", {"LastUpdateStatus": status} if status else {})
        with pytest.raises(AwsRefused, match=f"LastUpdateStatus is {statuses[-1]}"):
            ZipFunction(client, None, None, NAME, sleep=slept.append, now=print).snapshot()
    assert len(slept) == waits


def test_a_missing_permission_is_named():
    """The message names the permission to grant."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-northeast-2")
    client = session.client("lambda")
    with Stubber(client) as stub:
        stub.add_client_error("get_function_configuration", "AccessDeniedException", "not authorized", 403)
        with pytest.raises(AwsRefused) as refusal:
            ZipFunction(client, None, None, NAME, sleep=print, now=print).snapshot()
    assert "grant lambda:GetFunctionConfiguration" in refusal.value.remedy
    assert NAME in refusal.value.cause


def schedule(scheduler, name, target, expression="rate(20 minutes)", **sent):
    """A schedule of EventBridge Scheduler, made or changed."""
    role = "arn:aws:iam::654654307503:role/scheduler"
    given = {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"},
             "Target": {"Arn": target, "RoleArn": role, **sent}}  # fmt: skip
    make = scheduler.create_schedule
    if any(each["Name"] == name for each in scheduler.list_schedules()["Schedules"]):
        make = scheduler.update_schedule
    make(Name=name, **given)


def test_schedules_of_eventbridge_scheduler_are_triggers(production):
    """By the function's ARN or a qualified one, or by a universal target that calls it; no other schedules."""
    arn = production.snapshot().function
    invoke = "arn:aws:scheduler:::aws-sdk:lambda:invoke"
    schedule(production.scheduler, "direct", arn, Input='{"k": "s3cret-input"}')
    schedule(production.scheduler, "alias", f"{arn}:live")
    schedule(production.scheduler, "universal", invoke, Input=f'{{"FunctionName": "{NAME}", "Payload": "{{}}"}}')
    schedule(production.scheduler, "another", f"{arn}_v2")
    schedule(production.scheduler, "of-another", invoke, Input='{"FunctionName": "another"}')
    before = production.snapshot()
    assert set(before.facts["schedules"]) == {"default/direct", "default/alias", "default/universal"}
    assert "s3cret-input" not in str(before.facts)
    schedule(production.scheduler, "alias", f"{arn}:live", "rate(1 hour)")
    production.scheduler.delete_schedule(Name="universal")
    changed = {each.field for each in differences(before, production.snapshot())}
    assert any(each.startswith("schedules.default/alias.ScheduleExpression") for each in changed)
    assert any(each.startswith("schedules.default/universal") for each in changed)


def test_schedules_that_cannot_be_listed_are_not_taken_for_none(production):
    """A refusal, or an endpoint without the service, is named and not accepted."""
    whole = production.snapshot()
    with Stubber(production.scheduler) as stub:
        stub.add_client_error("list_schedules", "AccessDeniedException")
        found = production.snapshot()
    (rejection,) = check_untouched(whole, found).rejections
    assert "schedules could not be read now" in rejection.cause
    assert "scheduler:ListSchedules" in rejection.cause


def test_what_is_not_known_of_the_function_is_not_looked_for_in_the_trail(production):
    """Without the names of its schedules their changes cannot be found in CloudTrail."""
    with Stubber(production.scheduler) as stub:
        stub.add_client_error("list_schedules", "AccessDeniedException")
        found = production.snapshot()
    with pytest.raises(AwsRefused, match="schedules are not known"):
        names_of(found, "schedules")
    assert names_of(found, "rules") == {name.rpartition("/")[2] for name in found.facts["rules"]}
