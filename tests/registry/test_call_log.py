"""The call log: every call that leaves through botocore, with what became of it."""

import threading

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from gate.aws.calls import CallLog


def session():
    """A session without a real key."""
    return boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="very-secret", region_name="eu-west-1")


def test_a_call_is_recorded_with_service_operation_resource_outcome_and_time(rehearsal):
    """The record of PutImage names the repository and the tag."""
    rehearsal.publish()
    call = next(call for call in rehearsal.call_log.calls if call.operation == "PutImage")
    assert (call.service, call.resource, call.outcome) == ("ecr", "naver-sms-automation:v1.0.0", "ok")
    assert call.at.startswith("2025-10-18T12:00:00")
    assert call.region == "ap-northeast-2"
    assert call.seconds >= 0


def test_a_refused_call_carries_the_error_code(registry):
    """AccessDenied is an outcome too, and each page of a listing is a call of its own."""
    call_log = CallLog()
    client = registry.client(call_log)
    registry.faults["DescribeRepositories"] = [(400, "AccessDeniedException")]
    with pytest.raises(ClientError):
        client.describe_repositories(repositoryNames=["naver-sms-automation"])
    assert [(call.resource, call.outcome) for call in call_log.calls] == [
        ("naver-sms-automation", "AccessDeniedException")
    ]


def test_a_call_that_never_arrived_is_recorded_too():
    """No endpoint answers: the exception's name is the outcome."""
    call_log, own = CallLog(), session()
    call_log.attach(own)
    client = own.client("sts", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(EndpointConnectionError):
        client.get_caller_identity()
    assert [(call.operation, call.outcome) for call in call_log.calls] == [
        ("GetCallerIdentity", "EndpointConnectionError")
    ]


def test_a_call_without_an_answer_is_in_the_ledger_as_unanswered():
    """A run that dies inside a call has it on record: it was sent."""
    call_log, own, seen = CallLog(), session(), []
    call_log.attach(own)
    client = own.client("lambda", endpoint_url="http://127.0.0.1:9")
    client.meta.events.register("before-send.lambda", lambda **_: seen.extend(call_log.calls))
    with pytest.raises(EndpointConnectionError):
        client.update_function_code(FunctionName="zip", ZipFile=b"secret-code")
    assert [(call.operation, call.resource, call.outcome) for call in seen[:1]] == [
        ("UpdateFunctionCode", "zip", "unanswered")
    ]


def test_no_parameter_but_the_resource_is_kept():
    """Policies, environment values and keys that go through a call stay out of the call log."""
    call_log, own = CallLog(), session()
    call_log.attach(own)
    client = own.client("iam")
    with Stubber(client) as stub:
        stub.add_response("put_role_policy", {})
        client.put_role_policy(RoleName="ci", PolicyName="p", PolicyDocument="secret-document")
    assert "secret" not in repr(call_log.calls)
    assert call_log.calls[0].resource == "ci"
    assert call_log.calls[0].changes_something


def test_calls_from_several_threads_are_all_recorded():
    """The scan's thread and the publisher's write side by side."""
    call_log = CallLog()

    def pull(number):
        with call_log.pulling("r", str(number), "x"):
            pass

    threads = [threading.Thread(target=pull, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(call_log.calls) == 40


def test_a_docker_push_is_noted_as_what_it_asks_of_ecr():
    """The engine does not go through botocore: its operations are entered for it."""
    call_log = CallLog()
    with call_log.pushing("repo", "candidate", "eu-west-1"):
        pass
    changing = [call.operation for call in call_log.calls if call.changes_something]
    assert changing == ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"]
    assert {call.resource for call in call_log.calls} == {"repo:candidate"}
    with pytest.raises(ZeroDivisionError), call_log.pushing("repo", "latest", "eu-west-1"):
        1 / 0  # noqa: B018
    assert [call.outcome for call in call_log.calls] == ["ok"] * 6 + ["refused"] * 6
