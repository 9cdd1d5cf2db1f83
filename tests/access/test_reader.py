"""Reading access from AWS: every page, every kind of policy, and a clear word when a permission is missing."""

import json
from dataclasses import fields

import boto3
import pytest
from botocore.stub import Stubber

from gate.access.access_facts import Function
from gate.access.permission_groups import permission_groups, required_for
from gate.access.reader import AccountReader, lambda_functions, organization
from gate.access.trust import who_can_assume
from gate.errors import GateError
from tests.field.wire import client as wired

ACCOUNT = "654654307503"
REPOSITORY = f"arn:aws:ecr:ap-northeast-2:{ACCOUNT}:repository/naver-sms-automation"
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}})
TRUST = json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}})
MANAGED, CAP = f"arn:aws:iam::{ACCOUNT}:policy/managed", "arn:aws:iam::aws:policy/Cap"
WHEN = "2025-10-18T00:00:00Z"


def role(name, **more):
    """A role as GetAccountAuthorizationDetails tells it."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {"RoleName": name, "Arn": arn, "RoleId": f"AROAAAAAAAAAAAAA{name.upper()}", **more} | {
        "AssumeRolePolicyDocument": more.get("AssumeRolePolicyDocument", TRUST)
    }


def details(users=(), groups=(), roles=(), policies=(), marker=None):
    """One page of GetAccountAuthorizationDetails."""
    page = {
        "UserDetailList": [*users],
        "GroupDetailList": [*groups],
        "RoleDetailList": [*roles],
        "Policies": [*policies],
    }
    return page | ({"IsTruncated": True, "Marker": marker} if marker else {"IsTruncated": False})


def managed(arn=MANAGED):
    """A managed policy with an older version that no longer counts."""
    old = json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    versions = [
        {"VersionId": "v1", "IsDefaultVersion": False, "Document": old},
        {"VersionId": "v2", "IsDefaultVersion": True, "Document": ALLOW},
    ]
    return {"PolicyName": "managed", "Arn": arn, "PolicyVersionList": versions}


def evaluations(actions, decision="implicitDeny", **more):
    """One page of SimulatePrincipalPolicy."""
    results = [{"EvalActionName": each, "EvalDecision": decision, **more} for each in actions]
    return {"EvaluationResults": results, "IsTruncated": False}


def asked(on_repository):
    """The actions that the simulator is asked about."""
    found = {
        action for each in permission_groups() for action in (each.actions if on_repository else each.registry_actions)
    }
    found |= {action for name in ("push", "pull") for action, here in required_for(name) if here is on_repository}
    return sorted(found)


class Aws:
    """Two stubbed clients and the account that reads from them."""

    def __init__(self):
        make = {"region_name": "ap-northeast-2", "aws_access_key_id": "key", "aws_secret_access_key": "not-a-secret"}
        self.iam, self.ecr = (Stubber(boto3.client(name, **make)) for name in ("iam", "ecr"))
        self.account = AccountReader(
            self.iam.client,
            self.ecr.client,
            account=ACCOUNT,
            region="ap-northeast-2",
            repository="naver-sms-automation",
            function="f",
        )

    def details(self, **lists):
        """Answer one page of identities."""
        self.iam.add_response("get_account_authorization_details", details(**lists))

    def simulator(self, arn, decision="implicitDeny", **more):
        """Answer both questions to the simulator about one principal."""
        for resource, on_repository in ((REPOSITORY, True), ("*", False)):
            expected = {"PolicySourceArn": arn, "ActionNames": asked(on_repository), "ResourceArns": [resource]}
            answer = evaluations(asked(on_repository), decision, **more)
            self.iam.add_response("simulate_principal_policy", answer, expected)

    def registry(self, policy='{"Statement": []}', tags=()):
        """Answer the three questions to ECR: no registry policy, as in most accounts."""
        if policy is None:
            self.ecr.add_client_error("get_repository_policy", "RepositoryPolicyNotFoundException")
        else:
            self.ecr.add_response("get_repository_policy", {"policyText": policy})
        self.ecr.add_client_error("get_registry_policy", "RegistryPolicyNotFoundException")
        self.ecr.add_response("list_tags_for_resource", {"tags": [*tags]}, {"resourceArn": REPOSITORY})

    def facts(self):
        """What the account reads; every prepared answer has to be used."""
        with self.iam, self.ecr:
            facts = self.account.access_facts()
            for each in fields(facts):
                getattr(facts, each.name)  # what could not be read raises now
        self.iam.assert_no_pending_responses()
        self.ecr.assert_no_pending_responses()
        return facts


@pytest.fixture
def aws():
    """Stubbed AWS."""
    return Aws()


def test_all_pages_and_all_kinds_of_policies_are_read(aws):
    """A user's inline, managed and group policies, a role's boundary and trust, from two pages, are all there."""
    group = {
        "GroupName": "people",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/people",
        "GroupPolicyList": [{"PolicyName": "in", "PolicyDocument": ALLOW}],
        "AttachedManagedPolicies": [{"PolicyName": "managed", "PolicyArn": MANAGED}],
    }
    user = {
        "UserName": "alice",
        "UserId": "AIDAAAAAAAAAAAAALICE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "GroupList": ["people"],
        "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": ALLOW}],
        "Tags": [{"Key": "team", "Value": "blue"}],
    }
    boundary = {"PermissionsBoundaryArn": CAP, "PermissionsBoundaryType": "PermissionsBoundaryPolicy"}
    aws.details(users=[user], roles=[role("ci", PermissionsBoundary=boundary)], marker="next")
    aws.details(groups=[group], policies=[managed()])
    # AWS's own policies need not be among the details: the boundary's is asked for by itself.
    cap = {"Policy": {"Arn": CAP, "DefaultVersionId": "v9"}}
    aws.iam.add_response("get_policy", cap, {"PolicyArn": CAP})
    aws.iam.add_response(
        "get_policy_version", {"PolicyVersion": {"Document": ALLOW}}, {"PolicyArn": CAP, "VersionId": "v9"}
    )
    aws.registry(tags=[{"Key": "Environment", "Value": "production"}])
    aws.simulator(f"arn:aws:iam::{ACCOUNT}:role/ci", "allowed")
    aws.simulator(user["Arn"], "explicitDeny")
    facts = aws.facts()
    ci, alice = facts.identities
    assert ci.boundary.document == alice.policies[0].document == json.loads(ALLOW)
    assert ci.trust.document == json.loads(TRUST)
    assert [each.source for each in alice.policies] == [
        "inline policy own of user alice",
        "inline policy in of user alice by group people",
        "policy managed of user alice by group people",
    ]
    assert alice.policies[2].document == json.loads(ALLOW), "the default version counts, not the first"
    assert alice.tags == (("team", "blue"),)
    assert facts.repository_tags == (("Environment", "production"),)
    assert facts.registry_policy is None
    assert {each.allowed for each in facts.simulations if each.principal == ci.arn} == {True}
    assert {each.allowed for each in facts.simulations if each.principal == alice.arn} == {False}


def test_repository_without_policy_is_known_to_have_none(aws):
    """RepositoryPolicyNotFound is an answer: there is no policy."""
    aws.details()
    aws.registry(policy=None)
    assert aws.facts().repository_policy is None


def test_facts_are_read_once(aws):
    """A second question within a run asks AWS nothing."""
    aws.details()
    aws.registry()
    assert aws.facts() is aws.account.access_facts()


def test_simulators_missing_context_and_organization_are_kept(aws):
    """What weakens the simulator's answer stays with it."""
    aws.details(roles=[role("ci")])
    aws.registry()
    denied = {
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
        "MissingContextValues": ["aws:SourceIp"],
    }
    aws.simulator(f"arn:aws:iam::{ACCOUNT}:role/ci", **denied)
    answers = aws.facts().simulations
    assert all(each.organization_denies and each.missing_context == ("aws:SourceIp",) for each in answers)


def test_simulator_that_leaves_an_action_out_is_refused(aws):
    """An action without an answer is no agreement."""
    aws.details(roles=[role("ci")])
    aws.registry()
    aws.iam.add_response("simulate_principal_policy", evaluations(["ecr:PutImage"]))
    with pytest.raises(GateError, match="gave no answer for"):
        aws.facts()


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_missing_iam_permission_is_named(aws, code):
    """Without iam:GetAccountAuthorizationDetails nothing is known, and that permission is asked for."""
    aws.iam.add_client_error("get_account_authorization_details", code)
    with pytest.raises(GateError, match="iam:GetAccountAuthorizationDetails") as refused:
        aws.facts()
    assert "grant iam:GetAccountAuthorizationDetails" in refused.value.remedy


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("get_repository_policy", "ecr:GetRepositoryPolicy"),
        ("get_registry_policy", "ecr:GetRegistryPolicy"),
        ("list_tags_for_resource", "ecr:ListTagsForResource"),
    ],
)
def test_missing_ecr_permission_is_named(aws, operation, permission):
    """A refusal by ECR is no absence: it names the permission."""
    aws.details()
    answers = {
        "get_repository_policy": {"policyText": "{}"},
        "get_registry_policy": {"policyText": "{}"},
        "list_tags_for_resource": {"tags": []},
    }
    for name, answer in answers.items():
        if name == operation:
            aws.ecr.add_client_error(name, "AccessDeniedException", http_status_code=400)
            break
        aws.ecr.add_response(name, answer)
    with pytest.raises(GateError, match=permission):
        aws.facts()


def test_missing_permission_to_simulate_is_named(aws):
    """A gate that cannot ask the simulator says which permission it lacks."""
    aws.details(roles=[role("ci")])
    aws.registry()
    aws.iam.add_client_error("simulate_principal_policy", "AccessDenied")
    with pytest.raises(GateError, match="iam:SimulatePrincipalPolicy"):
        aws.facts()


def test_throttling_that_does_not_end_is_a_clear_error(aws):
    """A throttled answer is no answer."""
    aws.iam.add_client_error("get_account_authorization_details", "Throttling")
    with pytest.raises(GateError, match="did not answer"):
        aws.facts()


@pytest.mark.parametrize("lacking", ["Arn", "RoleId", "AssumeRolePolicyDocument"])
def test_answer_of_another_shape_is_refused(aws, lacking):
    """A role without ARN, id or trust policy is not checked as if it had none."""
    damaged = {key: value for key, value in role("ci").items() if key != lacking}
    aws.details(roles=[damaged])
    with pytest.raises(GateError, match="GetAccountAuthorizationDetails cannot be read"):
        aws.facts()


def test_policy_document_that_is_no_json_is_kept_and_refused_when_read(aws):
    """A document that the SDK cannot decode stays the text it is, and reading it is a clear error."""
    aws.details(roles=[role("ci", AssumeRolePolicyDocument="{]")])
    aws.registry()
    aws.simulator(f"arn:aws:iam::{ACCOUNT}:role/ci")
    facts = aws.facts()
    with pytest.raises(GateError, match="cannot be read"):
        who_can_assume(facts, "ci")


def test_group_that_is_not_in_the_answer_is_refused(aws):
    """A user of an unknown group may have any policy."""
    user = {
        "UserName": "a",
        "UserId": "AIDAAAAAAAAAAAAALICE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/a",
        "GroupList": ["x"],
    }
    aws.details(users=[user])
    with pytest.raises(GateError, match="cannot be read"):
        aws.facts()


def answering(answer):
    """A client of AWS Organizations that gives this answer, or this error; None for none."""
    given = {"__type": answer} if isinstance(answer, str) else answer
    return wired("organizations", {"DescribeOrganization": given}) if answer else None


OURS = {"Organization": {"Id": "o-a1b2c3d4e5"}}


@pytest.mark.parametrize(
    ("answer", "stated", "known"),
    [
        (OURS, "", "o-a1b2c3d4e5"),
        (OURS, "o-a1b2c3d4e5", "o-a1b2c3d4e5"),
        (OURS, "o-a1b2c3d4e5/r-ab12/", "o-a1b2c3d4e5/r-ab12/"),
        ("AWSOrganizationsNotInUseException", "", ""),
        ("AccessDeniedException", "", None),
        ("AccessDeniedException", "o-a1b2c3d4e5", "o-a1b2c3d4e5"),
        (None, "", None),
        (None, "o-a1b2c3d4e5", "o-a1b2c3d4e5"),
    ],
)
def test_the_organization_is_read_or_stated_or_not_known(answer, stated, known):
    """Any member may ask for it; who is refused can state it, and else what hangs on it stays undecided."""
    assert organization(answering(answer), stated) == known


@pytest.mark.parametrize("answer", [OURS, "AWSOrganizationsNotInUseException"])
def test_an_organization_that_is_stated_and_is_another_is_refused(answer):
    """One of the two is wrong, and a perimeter would be decided by it."""
    with pytest.raises(GateError, match="states the organization o-zzzzzzzzzz"):
        organization(answering(answer), "o-zzzzzzzzzz")


def test_functions_are_listed_with_their_roles_or_not_known():
    """All pages; who may not list them knows of none, which is not that there are none."""
    client = boto3.client("lambda", region_name="x", aws_access_key_id="x", aws_secret_access_key="x")
    one = {"FunctionName": "f", "FunctionArn": "arn:f", "Role": "arn:r"}
    with Stubber(client) as stub:
        stub.add_response("list_functions", {"Functions": [one], "NextMarker": "m"})
        stub.add_response("list_functions", {"Functions": [{**one, "FunctionArn": "arn:g"}]}, {"Marker": "m"})
        assert lambda_functions(client) == (Function("arn:f", "arn:r"), Function("arn:g", "arn:r"))
        stub.add_client_error("list_functions", "AccessDeniedException")
        assert lambda_functions(client) is None
    assert lambda_functions(None) is None


def test_aws_policies_that_a_condition_names_are_read(aws):
    """What may be attached decides what one can give oneself; a name that AWS does not have is nobody's."""
    named, absent = "arn:aws:iam::aws:policy/AmazonSQSFullAccess", "arn:aws:iam::aws:policy/NoSuchPolicy"
    only = {"ArnEquals": {"iam:PolicyARN": [named, absent, "arn:aws:iam::aws:policy/Amazon*"]}}
    attach = {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*", "Condition": only}
    inline = [{"PolicyName": "p", "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": attach})}]
    aws.details(roles=[role("ci", RolePolicyList=inline)])
    aws.iam.add_response("get_policy", {"Policy": {"Arn": named, "DefaultVersionId": "v1"}}, {"PolicyArn": named})
    asked = {"PolicyArn": named, "VersionId": "v1"}
    aws.iam.add_response("get_policy_version", {"PolicyVersion": {"Document": ALLOW}}, asked)
    aws.iam.add_client_error("get_policy", "NoSuchEntity")
    aws.registry()
    aws.simulator(f"arn:aws:iam::{ACCOUNT}:role/ci")
    assert [each.arn for each in aws.facts().managed] == [named]
