"""Which calls change something, and which of them a release may make."""

import boto3
import pytest

from gate.registry.permitted_calls import ALLOWED_CHANGES, READS, AwsCall, check_changes, check_zip_calls

REPOSITORY, ZIP = "naver-sms-automation", "naverplace_send_inform"


def call(service, operation, resource=REPOSITORY, outcome="ok"):
    """One call of a call log."""
    return AwsCall("2025-10-18T12:00:00+00:00", service, operation, resource, outcome, 0.1)


READ = call("ecr", "DescribeImages")


def said(result):
    """All that a judgement says."""
    return "\n".join(map(str, result.rejections))


def test_every_read_on_the_list_exists_and_sounds_like_one():
    """The table names real operations of botocore's models; none of them creates, puts, updates or deletes."""
    session = boto3.Session(region_name="us-east-1")
    # They mint or exchange credentials for the caller; they change nothing in the account.
    credentials = {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "CreateToken", "CreateOAuth2Token"}
    verbs = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Lookup", "Simulate", "Check", "Validate", "Decode")
    for service, operations in READS.items():
        known = set(session.client(service).meta.service_model.operation_names)
        assert operations <= known, (service, operations - known)
        assert all(each.startswith(verbs) for each in operations - credentials), service


def test_the_login_is_a_read():
    """GetAuthorizationToken mints a password and changes nothing."""
    assert not call("ecr", "GetAuthorizationToken", "*").changes_something


@pytest.mark.parametrize(
    ("service", "operation"), [("ecr", "FrobnicateImage"), ("newservice", "GetThing"), ("", ""), ("ecr", "putimage")]
)
def test_an_operation_that_nobody_classified_counts_as_a_change(service, operation):
    """Unknown services and operations are not trusted."""
    assert call(service, operation).changes_something
    assert not check_changes((READ, call(service, operation)), REPOSITORY).accepted


@pytest.mark.parametrize(("service", "operation"), sorted(ALLOWED_CHANGES))
def test_a_release_may_push_tag_and_scan_in_its_own_repository(service, operation):
    """The allow-list holds for the release's repository, by name, tag or digest, and for no other."""
    for resource in (REPOSITORY, f"{REPOSITORY}:v1.0.0", f"{REPOSITORY}@sha256:abc"):
        assert check_changes((call(service, operation, resource),), REPOSITORY).accepted
    for resource in ("other", f"{REPOSITORY}-2:v1", "*", f"other/{REPOSITORY}"):
        assert resource in said(check_changes((call(service, operation, resource),), REPOSITORY))


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ecr", "BatchDeleteImage"),
        ("ecr", "PutImageTagMutability"),
        ("ecr", "PutLifecyclePolicy"),
        ("ecr", "SetRepositoryPolicy"),
        ("ecr", "CreateRepository"),
        ("iam", "AttachRolePolicy"),
        ("lambda", "UpdateFunctionCode"),
    ],
)
def test_any_other_change_is_named_even_if_it_was_refused(service, operation):
    """What was tried counts: service, operation, resource and outcome stand in the message."""
    words = said(check_changes((READ, call(service, operation, outcome="AccessDeniedException")), REPOSITORY))
    assert f"{service}:{operation} on {REPOSITORY} (AccessDeniedException)" in words


def test_an_empty_ledger_proves_nothing():
    """A run that recorded no call at all was not recorded."""
    assert "empty" in said(check_changes((), REPOSITORY))
    assert "empty" in said(check_zip_calls((), ZIP))


@pytest.mark.parametrize(
    "each",
    [
        call("lambda", "UpdateFunctionConfiguration", ZIP),
        call("lambda", "PublishLayerVersion", "selenium"),
        call("events", "DisableRule", "every-20-minutes"),
        call("scheduler", "UpdateSchedule", "x"),
        call("cloudformation", "UpdateStack", "zip"),
        call("iam", "PutRolePolicy", f"{ZIP}-role-vb1bx6ro"),
        call("lambda", "InvokeSomehow", ZIP),
    ],
)
def test_any_change_near_the_zip_function_is_refused(each):
    """Code, configuration, layers, rules, schedules, stacks, and anything that carries its name."""
    words = said(check_zip_calls((READ, each), ZIP))
    assert each.operation in words
    assert ZIP in words


@pytest.mark.parametrize("outcome", ["AccessDeniedException", "UnauthorizedOperation", "ExpiredTokenException"])
def test_a_call_that_was_refused_left_the_zip_function_alone(outcome):
    """It changed nothing; that the run made it is said where the run's own calls are checked."""
    refused = call("lambda", "UpdateFunctionCode", ZIP, outcome)
    assert check_zip_calls((READ, refused), ZIP).accepted
    assert "lambda:UpdateFunctionCode" in said(check_changes((READ, refused), REPOSITORY))
    for unsure in ("unanswered", "ServiceException", "ReadTimeoutError", "ok"):
        assert not check_zip_calls((READ, call("lambda", "UpdateFunctionCode", ZIP, unsure)), ZIP).accepted


def test_reading_the_zip_function_and_pushing_the_image_leave_it_alone():
    """Reads of it and changes of the repository are no alarm."""
    calls = (READ, call("lambda", "GetFunction", ZIP), call("events", "DescribeRule", "r"), call("ecr", "PutImage"))
    assert check_zip_calls(calls, ZIP).accepted


def test_a_read_is_no_change_wherever_it_looks():
    """Reading other repositories and services is not what a release is asked about."""
    assert check_changes(
        (READ, call("ecr", "DescribeImages", "another"), call("iam", "GetRole", "r")), REPOSITORY
    ).accepted


def test_a_call_was_sent_once_unless_it_says_more():
    """No retry is made up."""
    assert READ.retries == 0
