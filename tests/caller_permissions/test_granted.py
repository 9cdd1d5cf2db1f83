"""What is known of a permission before it is used: found out without changing anything, and never guessed."""

import functools
import json

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from gate.caller_permissions.__main__ import ROOT
from gate.caller_permissions.granted import GrantedPermissions, parameters
from gate.caller_permissions.required import (
    PUBLISHING,
    VERIFYING,
    PermissionState,
    PermissionStatus,
    RequiredPermission,
    check_permissions,
)
from gate.errors import AwsRefused
from gate.registry.permitted_calls import READS
from gate.release_file import release_of

RELEASE = release_of(ROOT / "pytest.ini")
ROLE = f"arn:aws:iam::{RELEASE.account}:role/aws-reserved/sso/ci"
SESSION = f"arn:aws:sts::{RELEASE.account}:assumed-role/ci/run"
PUSH = RequiredPermission("ecr:PutImage", "push")


class Aws:
    """Every client of an account in memory: answers, and refuses what a test tells it to."""

    def __init__(self):
        self.refusals = {}
        self.decision, self.organizations, self.policy = "allowed", True, None
        self.scan_type, self.asked, self.missing = "BASIC", [], []

    def __call__(self, service):
        """A client of a service."""
        return _Client(self, service)

    def answer(self, action, sent):
        """The answer of an operation."""
        self.asked.append(action)
        if action in self.refusals:
            raise self.refusals[action]
        role = {"RoleName": "ci", "Arn": ROLE}
        result = {"EvalDecision": self.decision, "MissingContextValues": self.missing,
                  "OrganizationsDecisionDetail": {"AllowedByOrganizations": self.organizations}}  # fmt: skip
        if action == "ecr:get_repository_policy" and self.policy is None:
            raise error("RepositoryPolicyNotFoundException")
        return {
            "iam:get_account_authorization_details": {"RoleDetailList": [role]},
            "iam:simulate_principal_policy": {"EvaluationResults": [result]},
            "ecr:get_repository_policy": {"policyText": self.policy},
            "ecr:get_registry_scanning_configuration": {"scanningConfiguration": {"scanType": self.scan_type}},
        }.get(action, {})


@functools.cache
def _meta(service):
    """What botocore knows of a service."""
    return boto3.client(service, region_name="x", aws_access_key_id="x", aws_secret_access_key="x").meta


class _Client:
    def __init__(self, aws, service):
        self._aws, self._service, self.meta = aws, service, _meta(service)

    def __getattr__(self, method):
        return lambda **sent: self._aws.answer(f"{self._service}:{method}", sent)

    def get_paginator(self, operation):
        """One page."""
        return _Pages(self, operation)


class _Pages:
    def __init__(self, client, operation):
        self._client, self._operation = client, operation

    def paginate(self, **sent):
        """The only page."""
        yield getattr(self._client, self._operation)(**sent)


def error(code, message="said AWS"):
    """An error of AWS's."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.fixture
def aws():
    """An account in which everything is allowed."""
    return Aws()


def holding(aws, need, caller=SESSION):
    """What is known of one need."""
    return GrantedPermissions(aws, RELEASE, caller).of([need])[0]


@pytest.mark.parametrize("need", PUBLISHING, ids=lambda need: need.action)
def test_every_read_is_tried_and_no_write_is(need):
    """What changes something is never called to find out whether it may be."""
    writes = need.operation not in READS.get(need.service, frozenset()) and need.service != "inspector2"
    simulated = writes or need.action == "iam:SimulatePrincipalPolicy"
    assert (parameters(need, RELEASE) is None) == simulated


def test_finding_out_calls_reads_only(aws):
    """The whole preflight of a publishing run changes nothing."""
    found = GrantedPermissions(aws, RELEASE, SESSION).of(PUBLISHING)
    assert {each.state for each in found} == {PermissionState.GRANTED}
    reads = {f"{service}:{operation}".lower() for service, known in READS.items() for operation in known}
    assert {action.replace("_", "").lower() for action in aws.asked} <= reads


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_refused_read_is_a_missing_permission(aws, code):
    """In AWS's own words."""
    aws.refusals["events:describe_rule"] = error(code, "no identity-based policy allows it")
    found = holding(aws, RequiredPermission("events:DescribeRule", "x"))
    assert (found.state, found.why) == (PermissionState.MISSING, "no identity-based policy allows it")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "NoSuchEntity", "LayersNotFoundException"])
def test_nothing_there_says_that_asking_is_allowed(aws, code):
    """AWS decides about access first."""
    aws.refusals["events:describe_rule"] = error(code)
    assert holding(aws, RequiredPermission("events:DescribeRule", "x")).state is PermissionState.GRANTED


@pytest.mark.parametrize("trouble", [error("ThrottlingException"), EndpointConnectionError(endpoint_url="http://x")])
def test_no_answer_is_no_knowledge(aws, trouble):
    """Neither held nor missing."""
    aws.refusals["events:describe_rule"] = trouble
    assert holding(aws, RequiredPermission("events:DescribeRule", "x")).state is PermissionState.UNKNOWN


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"])
def test_expired_credentials_are_no_missing_permission(aws, code):
    """They end the preflight with their own sentence."""
    aws.refusals["events:describe_rule"] = error(code)
    with pytest.raises(AwsRefused, match="credentials are not accepted"):
        holding(aws, RequiredPermission("events:DescribeRule", "x"))


def test_a_write_that_a_policy_denies_is_missing(aws):
    """An explicit deny wins, also an organization's."""
    aws.decision = "explicitDeny"
    assert holding(aws, PUSH).state is PermissionState.DENIED
    aws.decision, aws.organizations = "allowed", False
    assert holding(aws, PUSH).state is PermissionState.DENIED
    (said,) = check_permissions([holding(aws, PUSH)], SESSION, "x").rejections
    assert "the Deny stays as it is" in said.remedy


@pytest.mark.parametrize("decision", ["explicitDeny", "implicitDeny", "allowed"])
@pytest.mark.parametrize("organizations", [True, False])
def test_an_answer_for_want_of_context_is_none(aws, decision, organizations):
    """A perimeter's Deny hangs on the organization or the network: the simulator was told neither."""
    aws.decision, aws.organizations, aws.missing = decision, organizations, ["aws:PrincipalOrgID"]
    found = holding(aws, PUSH)
    assert found.state is PermissionState.UNKNOWN
    assert check_permissions([found], SESSION, "x").accepted


def test_a_run_goes_on_without_what_only_some_conditions_need(aws):
    """The organization may be stated, and which functions run as which role may be left undecided."""
    aws.refusals["organizations:describe_organization"] = error("AccessDeniedException")
    found = GrantedPermissions(aws, RELEASE, SESSION).of(VERIFYING)
    lacking = [each for each in found if each.state is PermissionState.MISSING]
    assert [each.permission.action for each in lacking] == ["organizations:DescribeOrganization"]
    assert check_permissions(found, SESSION, "x").accepted


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ({"Principal": {"AWS": ROLE}, "Action": "ecr:Put*"}, PermissionState.GRANTED),
        (
            {"Principal": {"AWS": ROLE}, "Action": "ecr:Put*", "Condition": {"Bool": {"aws:x": "true"}}},
            PermissionState.UNKNOWN,
        ),
        ({"Principal": {"AWS": f"{ROLE}x"}, "Action": "ecr:PutImage"}, PermissionState.MISSING),
        ({"Principal": {"AWS": ROLE}, "Action": "ecr:BatchGetImage"}, PermissionState.MISSING),
        ({"Principal": {"AWS": ROLE}, "Action": "ecr:*", "Effect": "Deny"}, PermissionState.MISSING),
    ],
)
def test_where_the_callers_policies_are_silent_the_repositorys_decides(aws, statement, state):
    """An allow on either side suffices; a condition is left open."""
    aws.decision = "implicitDeny"
    aws.policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    assert holding(aws, PUSH).state is state


def test_no_repository_policy_at_all_grants_nothing(aws):
    """Silence on both sides is a missing permission, or an unknown one where the policy cannot be read."""
    aws.decision = "implicitDeny"
    assert holding(aws, PUSH).state is PermissionState.MISSING
    aws.refusals["ecr:get_repository_policy"] = error("AccessDeniedException")
    assert holding(aws, PUSH).state is PermissionState.UNKNOWN


@pytest.mark.parametrize("refused", ["iam:simulate_principal_policy", "iam:get_account_authorization_details"])
def test_where_the_simulator_may_not_be_asked_nothing_is_claimed(aws, refused):
    """The write is "not checked before it is needed"; the missing read is named by itself."""
    aws.refusals[refused] = error("AccessDenied")
    assert holding(aws, PUSH).state is PermissionState.UNKNOWN
    named = {"iam:simulate_principal_policy": "iam:SimulatePrincipalPolicy"}
    missing = named.get(refused, "iam:GetAccountAuthorizationDetails")
    assert holding(aws, RequiredPermission(missing, "x")).state is PermissionState.MISSING


@pytest.mark.parametrize(
    "caller", [f"arn:aws:iam::{RELEASE.account}:root", f"arn:aws:sts::{RELEASE.account}:federated-user/x"]
)
def test_a_caller_that_the_simulator_does_not_know_is_left_open(aws, caller):
    """Neither role nor user."""
    assert holding(aws, PUSH, caller).state is PermissionState.UNKNOWN


def test_inspectors_permissions_are_needed_only_where_inspector_scans(aws):
    """Under basic scanning nobody has to grant them."""

    def inspectors():
        return [each for each in GrantedPermissions(aws, RELEASE, SESSION).of(VERIFYING) if each.permission.enhanced]

    assert inspectors() == []
    aws.scan_type = "ENHANCED"
    assert {each.permission.operation for each in inspectors()} == {"ListCoverage", "ListFindings"}


def test_the_check_names_each_missing_permission_with_its_purpose_and_its_policy():
    """Unknown ones pass; they are refused when they are needed."""
    statuses = [
        PermissionStatus(PUSH, PermissionState.MISSING, "denied"),
        PermissionStatus(RequiredPermission("a:B", "see"), PermissionState.UNKNOWN, "busy"),
    ]
    result = check_permissions(statuses, SESSION, "docs/policies/publish.json")
    assert len(result.rejections) == 1
    assert "may not ecr:PutImage, which is needed to push: denied" in result.rejections[0].cause
    assert "docs/policies/publish.json" in result.rejections[0].remedy


def test_the_check_does_not_take_silence_for_a_yes():
    """No permission looked at: no."""
    assert not check_permissions([], SESSION, "x").accepted
