"""CloudTrail and CloudWatch: a positive control first, then the absence of changes and errors."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import ANY, Stubber

from gate.errors import AwsRefused
from gate.legacy.cloudtrail import check_trail, read_trail
from gate.legacy.snapshot import FunctionSnapshot
from gate.legacy.traffic import Traffic, check_traffic, read_traffic

NOW = datetime(2025, 10, 18, 12, tzinfo=UTC)
NAME = "naverplace_send_inform"
ARN = f"arn:aws:lambda:ap-northeast-2:654654307503:function:{NAME}"
RULES = {"default/every-20": {}, "aws.partner/example.com/shop/on-sale": {}}
FACTS = {"rules": RULES, "schedules": {"default/hourly": {}}}
BASELINE = FunctionSnapshot(ARN, (NOW - timedelta(hours=2)).isoformat(), FACTS)


def event(name, parameters, read_only="true", source="lambda.amazonaws.com", **more):
    """One event as LookupEvents answers it; `more` stands in the event itself."""
    detail = {"requestParameters": parameters, "userIdentity": {"arn": "arn:aws:iam::1:user/somebody"}, **more}
    mark = {"ReadOnly": read_only} if read_only else {}
    stated = {"EventSource": source, "EventName": name, "EventTime": NOW, "Username": "somebody"}
    return {"EventId": name, **stated, **mark, "CloudTrailEvent": json.dumps(detail)}


CONTROL = event("GetFunction20150331v2", {"functionName": NAME})


def trail(lambda_pages, events_pages=((),), scheduler_pages=((),), baseline=BASELINE):
    """The events that CloudTrail answers, read."""
    client = boto3.client("cloudtrail", region_name="x", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        for source, pages in (("lambda", lambda_pages), ("events", events_pages), ("scheduler", scheduler_pages)):
            for place, page in enumerate(pages):
                more = {"NextToken": "more"} if place + 1 < len(pages) else {}
                asked = [{"AttributeKey": "EventSource", "AttributeValue": f"{source}.amazonaws.com"}]
                expected = {"LookupAttributes": asked, "StartTime": ANY, "EndTime": NOW}
                expected |= {"NextToken": "more"} if place else {}
                stub.add_response("lookup_events", {"Events": list(page), **more}, expected)
        found = read_trail(client, baseline, NOW)
        stub.assert_no_pending_responses()
    return found


def said(*pages, **more):
    """What the check says ("" for accepted)."""
    return "\n".join(map(str, check_trail(trail(*pages, **more), NAME).rejections))


def test_the_gates_own_reading_is_required():
    """A trail without that reading is not accepted."""
    assert said([[CONTROL]]) == ""
    assert "the absence of updates in it proves nothing" in said([[]])
    assert "proves nothing" in said([[event("GetFunction20150331v2", {"functionName": "another"})]])


@pytest.mark.parametrize("named", [NAME, ARN, f"{NAME}:live", f"{ARN}:live", f"654654307503:function:{NAME}"])
@pytest.mark.parametrize("read_only", ["false", "", "maybe"])
def test_an_update_is_found_however_the_function_is_named(named, read_only):
    """By name, ARN or qualifier, on any page, and also if CloudTrail does not say whether it only read."""
    update = event("UpdateFunctionCode20150331v2", {"functionName": named}, read_only)
    words = said([[CONTROL], [update]])
    assert "UpdateFunctionCode20150331v2" in words
    assert "arn:aws:iam::1:user/somebody" in words


def test_a_change_of_its_rule_is_found_and_that_of_others_is_not():
    """Rules are known from the baseline."""
    own = event("DisableRule", {"name": "every-20"}, "false", "events.amazonaws.com")
    other = event("DisableRule", {"name": "backup"}, "false", "events.amazonaws.com")
    assert said([[CONTROL]], events_pages=[[other]]) == ""
    assert "DisableRule on every-20" in said([[CONTROL]], events_pages=[[other, own]])


def test_a_change_of_its_schedule_is_found_and_that_of_others_is_not():
    """EventBridge Scheduler writes events of its own; its schedules are known from the baseline too."""
    own = event("UpdateSchedule", {"name": "hourly"}, "false", "scheduler.amazonaws.com")
    other = event("DeleteSchedule", {"name": "backup"}, "false", "scheduler.amazonaws.com")
    assert said([[CONTROL]], scheduler_pages=[[other]]) == ""
    assert "UpdateSchedule on hourly" in said([[CONTROL]], scheduler_pages=[[other], [own]])


@pytest.mark.parametrize(
    "code",
    ["AccessDenied", "AccessDeniedException", "ResourceConflictException", "InvalidParameterValueException",
     "TooManyRequestsException", "Client.UnauthorizedOperation", "ResourceNotFoundException"],
)  # fmt: skip
def test_a_call_that_was_refused_changed_nothing(code):
    """CloudTrail records it like a change, with the error's code: it is kept and raises no alarm."""
    refused = event("UpdateFunctionCode20150331v2", {"functionName": NAME}, "false", errorCode=code)
    assert said([[CONTROL, refused]]) == ""
    assert [each.error for each in trail([[CONTROL, refused]])].count(code) == 1
    done = event("UpdateFunctionCode20150331v2", {"functionName": NAME}, "false")
    assert "UpdateFunctionCode" in said([[CONTROL, refused, done]])


@pytest.mark.parametrize(
    "code", ["ServiceException", "InternalFailure", "ServiceUnavailable", "InternalServerException"]
)
def test_a_call_that_failed_inside_of_aws_may_have_changed_something(code):
    """Only a refusal means that nothing was changed."""
    failed = event("UpdateFunctionCode20150331v2", {"functionName": NAME}, "false", errorCode=code)
    assert "UpdateFunctionCode" in said([[CONTROL, failed]])


def test_a_reading_that_was_refused_is_no_control():
    """The control is a reading that succeeded."""
    refused = event("GetFunction20150331v2", {"functionName": NAME}, errorCode="AccessDeniedException")
    assert "proves nothing" in said([[refused]])


def test_a_rule_on_a_partners_bus_is_one_of_its_rules():
    """Such a bus has slashes in its name; the rule is after the last one."""
    own = event("RemoveTargets", {"rule": "on-sale"}, "false", "events.amazonaws.com")
    assert "RemoveTargets on on-sale" in said([[CONTROL]], events_pages=[[own]])


@pytest.mark.parametrize(
    "control",
    [
        event("ListTags20170331", {"functionName": NAME}),
        event("GetFunction20150331v2", {"functionName": NAME}, "false"),
        event("GetFunction20150331v2", None),
        event("GetFunction20150331v2", {}),
    ],
)
def test_only_this_gates_own_reading_of_the_function_is_a_control(control):
    """Not another read, one that is marked as a change, or one without a function."""
    assert "proves nothing" in said([[control]])


@pytest.mark.parametrize(
    "change",
    [{"about": "another"}, {"source": "events.amazonaws.com"}, {"name": "ListTags20170331"}, {"read_only": False}],
)
def test_each_part_of_a_control_is_asked_about(change):
    """It is of Lambda, of this function, a GetFunction call, and read-only."""
    (control,) = trail([[CONTROL]])
    assert check_trail((control,), NAME).accepted
    assert "proves nothing" in str(check_trail((replace(control, **change),), NAME).rejections[0])


def test_a_function_that_is_called_what_a_rule_is_called_is_another_function():
    """So is a rule with the function's name: neither is a control, nor a change of the function."""
    namesake = event("UpdateFunctionCode20150331v2", {"functionName": "every-20"}, "false")
    rule = event("PutRule", {"name": NAME}, "false", "events.amazonaws.com")
    assert said([[CONTROL, namesake]], events_pages=[[rule]]) == ""
    reading = event("GetFunction20150331v2", {"functionName": "every-20"})
    described = event("GetFunctionLikeRule", {"name": NAME}, source="events.amazonaws.com")
    assert "proves nothing" in said([[reading]], events_pages=[[described]])


def test_a_rule_of_a_baseline_without_a_bus_is_known_by_its_name():
    """With or without a bus in front of it."""
    own = event("DisableRule", {"name": "bare"}, "false", "events.amazonaws.com")
    baseline = replace(BASELINE, facts={"rules": {"bare": {}}})
    assert "DisableRule on bare" in said([[CONTROL]], events_pages=[[own]], baseline=baseline)


def test_an_event_says_who_did_what_to_what_and_when():
    """Oldest first; without an ARN the user name is used, and without that "unknown"."""
    later = {**event("UpdateAlias", {"name": "live", "functionName": NAME}, "false"), "EventTime": NOW}
    early = {**event("TagResource", {"resource": f"{ARN}:live"}, "false"), "EventTime": NOW - timedelta(hours=1)}
    for each, detail in ((later, {"userIdentity": None}), (early, {"userIdentity": {}})):
        held = json.loads(each["CloudTrailEvent"])
        each["CloudTrailEvent"] = json.dumps({**held, **detail})
    del early["Username"]
    first, second = trail([[later, early]])
    assert (first.name, first.about, first.by, first.at) == (
        "TagResource",
        NAME,
        "unknown",
        "2025-10-18T11:00:00+00:00",
    )
    assert (second.name, second.about, second.by, second.source) == (
        "UpdateAlias", NAME, "somebody", "lambda.amazonaws.com"
    )  # fmt: skip
    assert not second.read_only


def test_an_unreadable_event_is_a_refusal():
    """An unreadable event is not skipped."""
    with pytest.raises(AwsRefused, match="LookupEvents cannot be read"):
        trail([[{**CONTROL, "CloudTrailEvent": "not json"}]])


def traffic(before, since):
    """Both windows, as CloudWatch answers them."""
    client = boto3.client("cloudwatch", region_name="x", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        for invocations, errors in (before, since):
            results = [
                {"Id": "invocations", "Label": "i", "Values": invocations, "StatusCode": "Complete"},
                {"Id": "errors", "Label": "e", "Values": errors, "StatusCode": "Complete"},
            ]
            stub.add_response("get_metric_data", {"MetricDataResults": results}, asked_metrics())
        return read_traffic(client, BASELINE, NOW)


def asked_metrics():
    """What CloudWatch has to be asked: both sums by the minute, of this function."""

    def query(metric):
        named = {
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": NAME}],
        }
        return {"Id": metric.lower(), "MetricStat": {"Metric": named, "Period": 60, "Stat": "Sum"}}

    return {"MetricDataQueries": [query("Invocations"), query("Errors")], "StartTime": ANY, "EndTime": ANY}


def test_invocations_and_errors_are_summed_over_both_windows():
    """The day before the baseline, and the two hours since."""
    before, since = traffic(([1.0] * 72, [1.0]), ([1.0] * 6, []))
    assert before == Traffic(86400.0, 72.0, 1.0)
    assert since == Traffic(7200.0, 6.0, 0.0)
    assert check_traffic(before, since, NAME).accepted


@pytest.mark.parametrize(
    ("before", "since", "words"),
    [
        (Traffic(86400, 0, 0), Traffic(7200, 6, 0), "shows no invocation"),
        (Traffic(86400, 72, 0), Traffic(7200, 0, 0), "6.0 invocations would be due"),
        (Traffic(86400, 72, 0), Traffic(7200, 6, 1), "new errors: 1 in 6"),
        (Traffic(86400, 72, 6), Traffic(7200, 6, 6), "new errors: 6 in 6"),
        (Traffic(86400, 1440, 24), Traffic(3600, 60, 5), "new errors: 5 in 60"),
        (Traffic(86400, 1440, 2), Traffic(3600, 60, 2), "new errors: 2 in 60"),
        (Traffic(86400, 1e6, 1000), Traffic(3600, 4e4, 60), "new errors: 60 in 40000"),
        (Traffic(86400, 72, 1), Traffic(7200, 1, 2), "new errors: 2 in 1"),
    ],
)
def test_production_that_stopped_or_fails_more_is_a_no_go(before, since, words):
    """No invocation, or a higher share of errors, each with its numbers."""
    assert words in str(check_traffic(before, since, NAME).rejections[0])


def test_the_errors_that_there_always_were_are_no_new_ones():
    """A share of errors that did not rise is no false alarm."""
    assert check_traffic(Traffic(86400, 72, 36), Traffic(7200, 6, 3), NAME).accepted


@pytest.mark.parametrize(
    ("before", "since"),
    [
        (Traffic(86400, 1440, 24), Traffic(3600, 60, 2)),
        (Traffic(86400, 1440, 24), Traffic(3600, 60, 4)),
        (Traffic(86400, 1440, 24), Traffic(3600, 5, 1)),
        (Traffic(86400, 72, 36), Traffic(7200, 6, 5)),
        (Traffic(86400, 1e6, 1000), Traffic(3600, 4e4, 48)),
        (Traffic(86400, 72, 72), Traffic(7200, 6, 6)),
        (Traffic(86400, 72, 80), Traffic(7200, 6, 6)),
        (Traffic(86400, 72, 1), Traffic(7200, 6, 0)),
    ],
)
def test_what_comes_about_by_chance_is_no_new_error(before, since):
    """A few more errors in an hour are within chance for a function that failed now and then before."""
    assert check_traffic(before, since, NAME).accepted


def test_the_chance_of_errors_is_that_of_the_binomial_distribution():
    """Of so many or more: 1 - 0.5^3, 0.5^3, 4 of 10 at one in ten; certain and impossible ends."""
    half = Traffic(60, 10, 5)
    assert [round(half.chance_of(Traffic(60, 3, n)), 4) for n in range(5)] == [1, 0.875, 0.5, 0.125, 0]
    assert round(Traffic(60, 10, 1).chance_of(Traffic(60, 10, 4)), 6) == 0.012795
    assert Traffic(60, 10, 0).chance_of(Traffic(60, 3, 1)) == 0
    assert Traffic(60, 10, 10).chance_of(Traffic(60, 3, 3)) == 1


def test_the_share_of_errors_is_errors_per_invocation():
    """It is 0 without an invocation."""
    assert Traffic(60, 4, 1).error_rate == 0.25
    assert Traffic(60, 0, 0).error_rate == 0


def test_one_invocation_is_one():
    """A function that was invoked once before and once since went on."""
    assert check_traffic(Traffic(86400, 1, 0), Traffic(7200, 1, 0), NAME).accepted
