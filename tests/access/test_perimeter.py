"""Data perimeters of organizations: what is known or can be read decides them, and no remedy weakens one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate.access import permission_checks as checks
from gate.access.access_facts import Network, Simulation
from gate.access.decision import Ternary
from gate.access.document import PolicyText
from gate.access.evaluation import may, registry_request
from gate.access.matrix import principals
from gate.caller_permissions.__main__ import ROOT
from gate.errors import WrongUse
from gate.release_file import release_of
from tests.access.conftest import ACCOUNT, CI, PULL, REVIEWED, arn, identity

ORGANIZATION = "o-a1b2c3d4e5"
ENDPOINT = f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:vpc-endpoint/vpce-1"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def perimeter(condition, **more):
    """A Deny of everything to everybody, under conditions."""
    return {"Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Condition": condition, **more}


def checked(account_with, condition, *, identity_policy=False, **facts):
    """What is said of the push by the CI role and of the pull by Lambda: the checks' rejections, in one list."""
    deny = perimeter(condition)
    own = {key: value for key, value in deny.items() if key != "Principal"} | {"Resource": "*"}
    ci = [*CI, own] if identity_policy else CI
    made = account_with(ci=ci, repository=[] if identity_policy else [deny], **facts)
    push, pull = checks.check_holds(made, "ci", "push"), checks.check_lambda_service(made)
    return (*push.rejections, *pull.rejections)


EXTERNAL = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}
HARMLESS = {
    "the organization, and services": (EXTERNAL, {"organization": ORGANIZATION}),
    "paths of the organization": (
        {
            "ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
        {"organization": ORGANIZATION},
    ),
    "the resource's organization": (
        {
            "StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
        {"organization": ORGANIZATION},
    ),
    "the account": (
        {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
        {},
    ),
    "the source's account": (
        {"StringNotEqualsIfExists": {"aws:SourceAccount": ACCOUNT}, "Bool": {"aws:PrincipalIsAWSService": "true"}},
        {},
    ),
    "the source's organization": (
        {
            "StringNotEqualsIfExists": {"aws:SourceOrgID": ORGANIZATION},
            "Null": {"aws:SourceAccount": "false"},
            "Bool": {"aws:PrincipalIsAWSService": "true"},
        },
        {"organization": ORGANIZATION},
    ),
    "TLS": ({"Bool": {"aws:SecureTransport": "false"}}, {}),
    "the region": ({"StringNotEquals": {"aws:RequestedRegion": "ap-northeast-2"}}, {}),
    "calls by way of other services": (
        {"Bool": {"aws:ViaAWSService": "true"}, "StringEquals": {"aws:PrincipalType": "AssumedRole"}},
        {},
    ),
    "calls by CloudFormation": (
        {
            "ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"},
            "StringEquals": {"aws:PrincipalAccount": ACCOUNT},
        },
        {},
    ),
    "the network, as it is stated": (
        {
            "NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
        {"network": Network(("203.0.113.7", "198.51.100.0/28"))},
    ),
    "the endpoint's organization, by its ARN": (
        {
            "StringNotEqualsIfExists": {"aws:VpceOrgID": ORGANIZATION, "aws:VpceAccount": "111122223333"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
        {"organization": ORGANIZATION, "network": Network(vpce=ENDPOINT)},
    ),
    "the VPC, by its ARN": (
        {
            "ArnNotLikeIfExists": {"aws:SourceVpcArn": f"arn:aws:ec2:*:{ACCOUNT}:vpc/*"},
            "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
        {"network": Network(vpc=f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:vpc/vpc-1")},
    ),
    "roles by their ARN, which no service has": ({"ArnLike": {"aws:PrincipalArn": arn("developer")}}, {}),
    "users by their kind, which no service is": ({"StringEquals": {"aws:PrincipalType": ["User", "Account"]}}, {}),
    "sessions with a name of their own, which these cannot have": (
        {"StringLike": {"aws:SourceIdentity": "guest-*"}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
        {},
    ),
    "the root user of a member account": ({"Bool": {"aws:AssumedRoot": "true"}}, {}),
    "the endpoint, as it is stated": (
        {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
        {"network": Network(vpce="vpce-1")},
    ),
    "network and endpoint": (
        {
            "NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"},
            "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
        },
        {"network": Network(vpc="vpc-1")},
    ),
    "sessions from before they were revoked": (
        {"DateLessThan": {"aws:TokenIssueTime": "2026-02-01T00:00:00Z"}},
        {"read_at": NOW},
    ),
    "a Deny that has ended": ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, {"read_at": NOW}),
    "guests, by their tag": ({"StringEquals": {"aws:PrincipalTag/kind": "guest"}}, {}),
    "old instance credentials": (
        {"NumericLessThan": {"ec2:RoleDelivery": "2.0"}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
        {},
    ),
    "a machine's credentials away from it": (
        {
            "StringNotEquals": {"aws:EC2InstanceSourceVPC": "vpc-1"},
            "Null": {"ec2:SourceInstanceARN": "false"},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
        {},
    ),
    "everybody but these roles' sessions, by the roles' identifiers": (
        {
            "StringNotLike": {"aws:userId": ["IDCI:*", "IDRUNNER:*", "IDADMIN"]},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
        {},
    ),
    "sessions of another role, by its identifier": (
        {"StringLike": {"aws:userid": "IDOTHER:*"}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
        {},
    ),
    "people without a second factor": (
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}, "StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {},
    ),
}


@pytest.mark.parametrize(("condition", "facts"), HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("identity_policy", [False, True], ids=["repository", "identity"])
def test_a_perimeter_that_the_release_stands_within_is_no_alarm(condition, facts, identity_policy, account_with):
    """In the repository's policy and in the role's own: decided, and the CI role pushes and Lambda pulls."""
    assert [each.cause for each in checked(account_with, condition, identity_policy=identity_policy, **facts)] == []


OUTSIDE = {
    "another organization": (EXTERNAL, {"organization": "o-zzzzzzzzzz"}, "denied"),
    "no organization": (EXTERNAL, {"organization": ""}, "denied"),
    "paths of another": (
        {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-zzzzzzzzzz/*"}},
        {"organization": ORGANIZATION},
        "denied",
    ),
    "another account": ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, {}, "denied"),
    "another region": ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, {}, "denied"),
    "another role's identifier": ({"StringNotLike": {"aws:userId": "IDOTHER:*"}}, {}, "denied"),
    "one session of the role": ({"StringNotLike": {"aws:userId": "IDCI:release"}}, {}, "undecided"),
    "an asterisk that is no wildcard": ({"StringNotEquals": {"aws:userId": "IDCI:*"}}, {}, "undecided"),
    "another network": (
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"network": Network(("192.0.2.1",))},
        "denied",
    ),
    "another endpoint": (
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"network": Network(vpce="vpce-2")},
        "denied",
    ),
    "another account's endpoint": (
        {"StringNotEquals": {"aws:VpceAccount": ACCOUNT}},
        {"network": Network(vpce=ENDPOINT.replace(ACCOUNT, "111122223333"))},
        "denied",
    ),
    "an endpoint whose organization is not known": (
        {"StringNotEquals": {"aws:VpceOrgID": ORGANIZATION}},
        {"organization": ORGANIZATION, "network": Network(vpce=ENDPOINT.replace(ACCOUNT, "111122223333"))},
        "undecided",
    ),
    "everybody without a tag": ({"Null": {"aws:RequestTag/owner": "true"}}, {}, "denied"),
    "no endpoint": ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, {"network": Network(("192.0.2.1",))}, "denied"),
    "direct calls": ({"Bool": {"aws:ViaAWSService": "false"}}, {}, "denied"),
    "its own tag": ({"StringNotEquals": {"aws:PrincipalTag/kind": "release"}}, {}, "denied"),
    "everybody without a second factor": ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, "denied"),
    "a part of the network": (
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/28"}},
        {"network": Network(("203.0.113.0/24",))},
        "undecided",
    ),
}


@pytest.mark.parametrize(("condition", "facts", "word"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_perimeter_that_shuts_the_ci_role_out_is_named(condition, facts, word, account_with):
    """By the statement, which the remedy leaves as it is."""
    first = checked(account_with, condition, **facts)[0]
    assert "role/ci cannot push into" in first.cause
    assert word in first.cause
    assert "(Perimeter)" in first.cause
    assert "deny" not in first.remedy.replace("the Deny", "") or "nowhere" not in first.remedy


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        (EXTERNAL, "organization_id"),
        ({"StringNotEquals": {"aws:ResourceOrgID": ORGANIZATION}}, "organization_id"),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "ci_source_ips"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "ci_source_vpce"),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, "ci_source_vpc"),
        ({"StringNotEquals": {"aws:VpceAccount": ACCOUNT}}, "ci_source_vpce (its ARN)"),
        ({"ArnNotLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:*:vpc/vpc-1"}}, "ci_source_vpc (its ARN)"),
    ],
)
def test_what_only_the_team_knows_can_be_stated(condition, key, account_with):
    """Undecided until then, and the remedy names the setting in pytest.ini."""
    first = checked(account_with, condition)[0]
    assert "undecided" in first.cause
    assert f"state {key}" in first.remedy
    assert "in pytest.ini" in first.remedy


def test_where_the_ci_role_calls_from_is_not_asked_for_lambdas_sake(account_with):
    """It would decide nothing there."""
    network = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    facts = account_with(repository=[perimeter(network)], network=Network(("203.0.113.7",)))
    assert checks.check_holds(facts, "ci", "push").accepted
    (rejection,) = checks.check_lambda_service(facts).rejections
    assert "ci_source_ips" not in rejection.remedy


def test_a_network_perimeter_does_not_stop_lambda(account_with):
    """Lambda pulls as a service: where its role would call from decides nothing; any other Deny does."""

    def accepted(**condition):
        return checks.check_holds(account_with(repository=[perimeter(condition)]), "runner", "pull").accepted

    assert accepted(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}, Bool={"aws:PrincipalIsAWSService": "false"})
    assert accepted(StringNotEqualsIfExists={"aws:SourceVpce": "vpce-1", "aws:VpceOrgID": ORGANIZATION})
    assert not accepted(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}, StringLike={"aws:UserAgent": "*"})
    assert not accepted(StringNotEquals={"aws:PrincipalOrgID": ORGANIZATION})
    assert not accepted(StringNotEquals={"aws:PrincipalArn": arn("ci")})


def test_an_allow_that_depends_on_the_network_is_still_undecided(account_with):
    """Only a perimeter says nothing of the pull by Lambda."""
    inside = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    pull = [{**REVIEWED[1], "Condition": inside}]
    assert not checks.check_holds(account_with(policy=pull), "runner", "pull").accepted


def test_a_perimeter_opens_nothing_to_unreviewed_principals(account_with):
    """An Allow for the organization gives access to unreviewed principals of it."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "ecr:*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    }
    facts = account_with(repository=[statement], organization=ORGANIZATION)
    request = registry_request(facts)
    answers = {each.name: may(each, request("ecr:PutImage", True)).answer for each in principals(facts)}
    assert answers[arn("developer")] is Ternary.YES
    assert answers["anybody else"] is Ternary.UNDECIDED


def test_a_role_with_sessions_that_bring_their_own_tags_stays_undecided(account_with):
    """Where the trust lets sessions be tagged, nobody knows their tags."""
    tagged = {"StringEquals": {"aws:PrincipalTag/kind": "release"}}
    statements = [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": tagged}]
    asked = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
              "Action": ["sts:AssumeRole", "sts:TagSession"]}]  # fmt: skip
    words = [checks.check_holds(account_with(policy=[], ci=statements, trust=trust), "ci", "push").rejections[0].cause
             for trust in (asked, [{**asked[0], "Action": "sts:AssumeRole"}])]  # fmt: skip
    assert ["undecided" in each for each in words] == [True, False]


def test_an_organization_that_denies_for_want_of_context_denies_nothing(account_with):
    """The simulator does not know the conditions of an organization's policies for a real request."""
    repository = account_with().repository_arn
    denied = Simulation(arn("ci"), "ecr:PutImage", repository, False, ("aws:PrincipalOrgID",), True)
    assert checks.check_holds(account_with(simulations=(denied,)), "ci", "push").accepted
    real = replace(denied, missing_context=())
    assert not checks.check_holds(account_with(simulations=(real,)), "ci", "push").accepted


def replaced(policy, old, new):
    """A policy text with another principal."""
    return PolicyText(policy.source, policy.document.replace(old, new))


GONE = "AROA" + "EXAMPLE" * 2


@pytest.mark.parametrize("gone", [GONE, "AIDA" + "EXAMPLE" * 2])
def test_a_principal_that_was_deleted_is_shown_and_harmless(gone, account_with, today):
    """In the repository's policy and in a trust policy: nobody can have that identifier again."""
    from gate.access.matrix import access_matrix, plain
    from gate.access.matrix_html import render
    from gate.access.trust import who_can_assume

    statement = {"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": gone}, "Action": "ecr:*"}
    trust = [{"Effect": "Allow", "Principal": {"AWS": gone}, "Action": "sts:AssumeRole"}]
    facts = account_with(repository=[statement], trust=trust)
    assert who_can_assume(facts, "ci") == ()
    matrix = access_matrix(facts, who_can_assume(facts, "ci"), ci_role="ci")
    assert matrix.row(gone) is None
    for group in ("push", "pull", "delete", "rules", "replicate"):
        expected = checks.expected_holders(facts, group, "ci", "runner")
        assert checks.check_nobody_else(matrix, group, list_of_checks(), today, expected).accepted
    assert plain(matrix)["deleted, so may do nothing"] == {gone: "trust policy of ci, statement 1"}
    assert gone in render(matrix)
    assert "Old" in str(dict(access_matrix(account_with(repository=[statement])).deleted))


def list_of_checks():
    """Nobody was reviewed."""
    from gate.access.reviewed_principals import ReviewedPrincipals

    return ReviewedPrincipals("principals.yaml", ())


def test_an_identifier_of_somebody_who_is_there_is_that_one(account_with):
    """It is neither a deleted nor an external principal."""
    from gate.access.matrix import access_matrix

    alive = replace(identity("alive"), unique_id=GONE)
    statement = {"Effect": "Allow", "Principal": {"AWS": GONE}, "Action": "ecr:*"}
    matrix = access_matrix(account_with(repository=[statement], more=(alive,)))
    assert matrix.deleted == ()
    assert matrix.row(arn("alive")).cell("push").answer is Ternary.YES
    assert matrix.row(GONE) is None


def test_a_reviewed_principal_that_was_deleted_since_is_no_difference(account_with, today):
    """AWS shows its identifier in the place of its name; whoever else is added is one."""
    from gate.access import reviewed_policy

    old = {"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": arn("gone")}, "Action": PULL}
    reviewed = account_with(repository=[old]).repository_policy.document
    wanted = reviewed_policy.read(
        f'{{"reviewed_by": "a role", "reviewed_on": "2025-10-01", "policy": {reviewed}}}', "p.json"
    )

    def differences(who):
        facts = account_with(repository=[{**old, "Principal": {"AWS": who}}])
        return checks.check_reviewed_policy(facts, wanted, today)

    assert differences(GONE).accepted
    assert not differences(arn("developer")).accepted
    assert not differences([GONE, "111122223333"]).accepted


def test_a_role_that_was_made_again_is_told_what_is_wrong(account_with):
    """The policy names the one that was deleted: nothing is to be opened, the reviewed policy is to be set anew."""
    policy = [{**REVIEWED[0], "Principal": {"AWS": GONE}}, *REVIEWED[1:]]
    (first,) = checks.check_holds(account_with(policy=policy, ci=CI[1:]), "ci", "push").rejections
    assert f"set the reviewed policy again, with the principal's name: {GONE}" in first.remedy


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("organization_id", "", True),
        ("organization_id", "o-a1b2c3d4e5", True),
        ("organization_id", "a1b2c3d4e5", False),
        ("organization_id", "o-*", False),
        ("ci_source_ips", "203.0.113.7\n 198.51.100.0/24\n 2001:db8::/32", True),
        ("ci_source_ips", "203.0.113.300", False),
        ("ci_source_ips", "the office", False),
        ("ci_source_vpce", "vpce-1", True),
        ("ci_source_vpce", ENDPOINT, True),
        ("ci_source_vpce", "vpc-1", False),
        ("ci_source_vpc", f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:vpc/vpc-0a1b", True),
        ("ci_source_vpc", "the office", False),
        ("signing_profile", "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/releases", True),
        ("signing_profile", "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/releases/AB12", False),
    ],
)
def test_what_is_stated_is_checked_when_it_is_read(key, value, fits, tmp_path):
    """A misspelt organization or address would decide a perimeter wrongly."""
    text = (ROOT / "pytest.ini").read_text(encoding="utf-8")
    assert f"\n{key} =\n" in text
    path = tmp_path / "pytest.ini"
    path.write_text(text.replace(f"\n{key} =\n", f"\n{key} =\n {value}\n"), encoding="utf-8")
    if fits:
        assert "".join(getattr(release_of(path), key)) == "".join(value.split())
    else:
        with pytest.raises(WrongUse, match=key):
            release_of(path)
