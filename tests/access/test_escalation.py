"""Privilege escalation: every method alone, in chains, and harmless permissions that look like one."""

import time
from dataclasses import replace
from datetime import date

import pytest
from policy_sentry.querying.all import get_all_actions

from gate.access import escalation_methods, permission_checks, principal_changes
from gate.access.access_facts import Function, Group, ManagedPolicy
from gate.access.matrix import access_matrix
from gate.access.reviewed_principals import Review, ReviewedPrincipals
from gate.access.trust import who_can_assume
from gate.aws.service_authorization import actions
from tests.access.conftest import ACCOUNT, arn, identity, text

ALICE, BOB, DEVELOPER = arn("alice", "user"), arn("bob", "user"), arn("developer")
PUSHERS, EMPTY = f"arn:aws:iam::{ACCOUNT}:group/pushers", f"arn:aws:iam::{ACCOUNT}:group/empty"
OWN, CAP = f"arn:aws:iam::{ACCOUNT}:policy/own", f"arn:aws:iam::{ACCOUNT}:policy/cap"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
PUSH = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
NO_ECR = [{"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}]
TODAY = date(2025, 10, 18)
# Principals of a larger account: bob pushes as he is, `builder` pushes and is taken on by three services.
BUILDER = arn("builder")
SERVICES = ["lambda.amazonaws.com", "ec2.amazonaws.com", "states.amazonaws.com", "new-service.amazonaws.com"]


def allow(*named, on="*", **more):
    """A statement that allows actions."""
    return {"Effect": "Allow", "Action": list(named), "Resource": on, **more}


def deny(*named, on="*", **more):
    """A statement that denies actions."""
    return {**allow(*named, on=on, **more), "Effect": "Deny"}


def when(**keys):
    """A condition: keys with `_` for `:` and `__` for `/`, equal to these."""
    return {"Condition": {"StringEquals": {key.replace("__", "/").replace("_", ":", 1): v for key, v in keys.items()}}}


def services_trusted(*names):
    """A trust policy for AWS services."""
    return [{"Effect": "Allow", "Principal": {"Service": list(names)}, "Action": "sts:AssumeRole"}]


@pytest.fixture
def account(account_with):
    """Makes the larger account: who holds what, and what else the test changes."""

    def make(*, alice=(), developer=(), builder_trust=None, groups=(), attached=(), tags=(), **more):
        facts = account_with(
            alice=alice,
            developer=developer,
            groups=(
                Group(PUSHERS, (replace(text("policy of pushers", [PUSH]), holder=PUSHERS),)),
                Group(EMPTY, ()),
            ),
            managed=(
                ManagedPolicy(OWN, text("policy own", [allow("s3:Get*")]), (text("policy own, v1", [PUSH]),)),
                ManagedPolicy(CAP, text("policy cap", NO_ECR)),
            ),
            more=(
                identity("bob", "user", [PUSH]),
                identity("builder", statements=[PUSH], trust=builder_trust or services_trusted(*SERVICES)),
            ),
            **more,
        )
        shown = [replace(each, policies=(*each.policies, *attached), groups=tuple(groups), tags=tuple(tags))
                 if each.arn == ALICE else each for each in facts.identities]  # fmt: skip
        return replace(facts, identities=tuple(shown))

    return make


def unreviewed(facts, group="push", reviewed=(BOB, BUILDER)):
    """What the check says of everybody but those who were reviewed."""
    entries = tuple(Review(who, (group,), "a reason", "a role", date(2026, 1, 1), 1) for who in reviewed)
    expected = permission_checks.expected_holders(facts, group, "ci", "runner")
    matrix = access_matrix(facts, who_can_assume(facts, "ci"), ci_role="ci")
    return permission_checks.check_nobody_else(
        matrix, group, ReviewedPrincipals("principals.yaml", entries), TODAY, expected
    )


def said(facts, group="push"):
    """All its causes."""
    return "\n".join(each.cause for each in unreviewed(facts, group).rejections)


ITSELF = {
    "PutUserPolicy": [allow("iam:PutUserPolicy", on=ALICE)],
    "PutUserPolicy by its own name": [allow("iam:Put*", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")],
    "AttachUserPolicy": [allow("iam:AttachUserPolicy")],
    "AttachUserPolicy of one policy": [
        allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": ADMIN}}),
    ],
    "AttachUserPolicy of AWS's policies for ECR": [
        allow("iam:AttachUserPolicy", Condition={"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEC2C*"}}),
    ],
    "AddUserToGroup": [allow("iam:AddUserToGroup", on=PUSHERS)],
    "AddUserToGroup, of a group that one may fill": [allow("iam:AddUserToGroup", "iam:PutGroupPolicy", on=EMPTY)],
    "CreateGroup": [allow("iam:CreateGroup", "iam:AddUserToGroup", "iam:AttachGroupPolicy")],
    "CreateUser": [
        allow("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", on=f"arn:aws:iam::{ACCOUNT}:user/team/*")
    ],
    "CreateRole": [allow("iam:CreateRole", "iam:AttachRolePolicy", on=f"arn:aws:iam::{ACCOUNT}:role/x-*")],
    "everything of IAM": [allow("iam:*")],
    "everything but ECR": [{"Effect": "Allow", "NotAction": "ecr:*", "Resource": "*"}],
    "CreateAccessKey of another": [allow("iam:CreateAccessKey", on=BOB)],
    "CreateLoginProfile of another": [allow("iam:CreateLoginProfile", on=f"arn:aws:iam::{ACCOUNT}:user/b*")],
    "UpdateLoginProfile of another": [allow("iam:UpdateLoginProfile")],
    "UpdateAssumeRolePolicy of a role that pushes": [allow("iam:UpdateAssumeRolePolicy", on=BUILDER)],
    "PassRole and a function": [allow("iam:PassRole", on=BUILDER), allow("lambda:CreateFunction")],
    "PassRole to the one service": [
        allow("iam:PassRole", on=BUILDER, **when(iam_PassedToService="lambda.amazonaws.com")),
        allow("lambda:*", on=f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:team-*"),
    ],
    "PassRole and an instance": [allow("iam:PassRole", "ec2:RunInstances")],
    "PassRole and a state machine": [allow("iam:PassRole", "states:*")],
    "PassRole to a service that nobody knows yet": [allow("iam:PassRole", "new-service:CreateThing")],
    "a session on a machine": [allow("ssm:StartSession")],
    "another code for a function": [allow("lambda:UpdateFunctionCode")],
}


@pytest.mark.parametrize("statements", ITSELF.values(), ids=ITSELF)
def test_who_can_give_himself_the_push_has_it(statements, account):
    """One step, on itself or on another: red, and the sentence names the principal, the action, and what follows."""
    words = said(account(alice=statements))
    assert words.startswith((f"{ALICE} can", f"{ALICE} might be able to"))
    assert "and so push into naver-sms-automation" in words


TAKEOVERS = {
    "ec2.amazonaws.com": """ssm:SendCommand ssm:ResumeSession ssm:CreateAssociation ssm:UpdateAssociation
        elasticmapreduce:AddJobFlowSteps codedeploy:RegisterApplicationRevision+codedeploy:CreateDeployment
        ec2:CreateLaunchTemplateVersion+ec2:ModifyLaunchTemplate""",
    "ecs-tasks.amazonaws.com": "batch:SubmitJob ecs:ExecuteCommand",
    "bedrock-agentcore.amazonaws.com": """bedrock-agentcore:InvokeAgentRuntimeCommand
        bedrock-agentcore:StartBrowserSession+bedrock-agentcore:ConnectBrowserAutomationStream""",
    "codebuild.amazonaws.com": """codebuild:StartBuild
        iam:PassRole+codebuild:CreateProject+codebuild:CreateWebhook""",
    "states.amazonaws.com": "iam:PassRole+states:TestState",
}


@pytest.mark.parametrize(
    ("service", "named"), [(service, named) for service, sets in TAKEOVERS.items() for named in sets.split()]
)
def test_what_runs_with_a_role_can_be_taken_over(service, named, account):
    """Together the actions are a way; each of several alone is none."""
    wanted = named.split("+")
    trust = services_trusted(service)
    assert ALICE in said(account(alice=[allow(*wanted)], builder_trust=trust))
    for one in wanted if wanted[1:] else ():
        assert said(account(alice=[allow(one)], builder_trust=trust)) == ""


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("ec2.amazonaws.com.cn", "ssm:SendCommand"),
        ("states.ap-northeast-2.amazonaws.com", "states:UpdateStateMachine"),
        ("codebuild.us-gov-west-1.amazonaws.com", "codebuild:StartBuild"),
    ],
)
def test_a_service_is_known_by_its_regional_names_too(service, action, account):
    """With a region, and with China's ending."""
    assert ALICE in said(account(alice=[allow(action)], builder_trust=services_trusted(service)))


@pytest.mark.parametrize(
    "named",
    [
        "ssm:ListAssociations",
        "ssm:TerminateSession",
        "elasticmapreduce:ListSteps",
        "codedeploy:StopDeployment",
        "batch:CancelJob",
        "codebuild:StopBuild",
        "states:StartExecution",
    ],
)
def test_what_only_looks_at_what_runs_or_ends_it_is_no_takeover(named, account):
    """No code of one's own runs with the role."""
    assert said(account(alice=[allow(named)], builder_trust=services_trusted(*TAKEOVERS))) == ""


def test_the_sentence_names_the_path(account):
    """Who, what, on whom, and so what; where it is allowed; and what to do."""
    (one,) = unreviewed(account(alice=ITSELF["PutUserPolicy"])).rejections
    assert one.cause.startswith(
        f"{ALICE} can iam:PutUserPolicy on itself, and so push into naver-sms-automation; it is"
    )
    assert one.where.startswith("inline policy of alice, statement 1 allows it")
    (one,) = unreviewed(account(alice=ITSELF["CreateAccessKey of another"])).rejections
    assert "can iam:CreateAccessKey on user bob, and so push" in one.cause


@pytest.mark.parametrize("group", ["push", "pull", "delete", "rules", "replicate"])
def test_who_can_write_his_own_policy_has_every_group(group, account):
    """Not the push alone; and he can become the CI role."""
    facts = account(alice=ITSELF["PutUserPolicy"])
    assert f"{ALICE} can iam:PutUserPolicy on itself" in said(facts, group)
    assert ALICE in {each.name for each in who_can_assume(facts, "ci")}


HELD = {
    "a version of a policy of one's own": ({"alice": [allow("iam:CreatePolicyVersion", on=OWN)]}, True),
    "an older version that pushed": ({"alice": [allow("iam:SetDefaultPolicyVersion", on=OWN)]}, True),
    "a version of a policy that one does not have": ({"alice": [allow("iam:CreatePolicyVersion", on=CAP)]}, False),
    "a policy of a group of one's own": ({"alice": [allow("iam:PutGroupPolicy", on=EMPTY)], "groups": [EMPTY]}, True),
    "a policy for a group of one's own": (
        {"alice": [allow("iam:AttachGroupPolicy", on=EMPTY)], "groups": [EMPTY]},
        True,
    ),
    "a policy of a group of others": ({"alice": [allow("iam:PutGroupPolicy", on=EMPTY)]}, False),
}


@pytest.mark.parametrize(("changes", "red"), HELD.values(), ids=HELD)
def test_what_one_is_attached_to_decides(changes, red, account):
    """A managed policy and a group give only to those who have them."""
    attached = [replace(text("policy own of alice", [allow("s3:Get*")]), holder=ALICE, managed=OWN)]
    assert (ALICE in said(account(attached=attached, **changes))) is red


def capped(account, statements, *, boundary=NO_ECR, managed=CAP, **more):
    """The account with a boundary for alice."""
    facts = account(alice=statements, **more)
    cap = replace(text("boundary of alice", boundary), holder=ALICE, managed=managed)
    changed = (replace(each, boundary=cap) if each.arn == ALICE else each for each in facts.identities)
    return replace(facts, identities=tuple(changed))


IAM_TOO = [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]


@pytest.mark.parametrize(
    ("statements", "boundary", "red"),
    [
        ([PUSH], NO_ECR, False),
        ([PUSH, allow("iam:DeleteUserPermissionsBoundary")], NO_ECR, False),
        ([PUSH, allow("iam:DeleteUserPermissionsBoundary")], IAM_TOO, True),
        ([PUSH, allow("iam:PutUserPermissionsBoundary", on=ALICE)], IAM_TOO, True),
        (
            [
                PUSH,
                allow(
                    "iam:PutUserPermissionsBoundary",
                    on=ALICE,
                    Condition={"ArnEquals": {"iam:PermissionsBoundary": CAP}},
                ),
            ],
            IAM_TOO,
            False,
        ),
        ([PUSH, allow("iam:CreatePolicyVersion", on=CAP)], IAM_TOO, True),
        ([allow("iam:PutUserPolicy")], IAM_TOO, True),  # it writes itself the right to take the boundary away
        ([allow("iam:PutUserPolicy")], [allow("iam:PutUserPolicy"), *NO_ECR], False),
        ([allow("iam:PutUserPolicy"), deny("iam:Delete*Boundary", "iam:CreatePolicyVersion")], IAM_TOO, True),
        (
            [allow("iam:PutUserPolicy")],
            [*IAM_TOO, deny("iam:*Boundary", "iam:*PolicyVersion", "iam:Create*", "iam:PassRole", "iam:Update*")],
            False,
        ),
    ],
)
def test_a_boundary_holds_as_long_as_it_cannot_be_taken_away(statements, boundary, red, account):
    """What it does not allow, nobody gives himself; but it is no cap for who can lift it."""
    assert (ALICE in said(capped(account, statements, boundary=boundary))) is red


CREATES = "iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"


@pytest.mark.parametrize(
    ("boundary", "red"),
    [(NO_ECR, False), ([{"Effect": "Allow", "Action": "*", "Resource": "*"}], True)],
)
def test_a_role_that_one_may_only_make_under_a_boundary_is_as_strong_as_that(boundary, red, account_with):
    """Delegated administration as AWS describes it: harmless where the boundary gives no push."""
    bound = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": CAP}}}
    managed = (ManagedPolicy(CAP, text("policy cap", boundary)),)
    facts = account_with(alice=[allow(*CREATES, **bound)], managed=managed)
    assert (ALICE in said(facts)) is red


HARMLESS = {
    "PutUserPolicy on another path": [allow("iam:PutUserPolicy", on=f"arn:aws:iam::{ACCOUNT}:user/robots/*")],
    "PutUserPolicy on itself, denied": [allow("iam:PutUserPolicy"), deny("iam:Put*")],
    "its own access keys": [allow("iam:*AccessKey*", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")],
    "its own password": [allow("iam:UpdateLoginProfile", "iam:ChangePassword", on=ALICE)],
    "its own MFA device": [allow("iam:*MFADevice", "iam:*VirtualMFADevice")],
    "PassRole and no service": [allow("iam:PassRole")],
    "PassRole and looking at services": [
        allow("iam:PassRole", "lambda:Get*", "lambda:InvokeFunction", "ec2:Describe*", "new-service:List*")
    ],
    "PassRole of another role": [allow("iam:PassRole", on=arn("developer")), allow("lambda:CreateFunction")],
    "PassRole to a service that the role does not trust": [
        allow("iam:PassRole", on=BUILDER, **when(iam_PassedToService="glue.amazonaws.com")),
        allow("glue:*", "lambda:CreateFunction"),
    ],
    "reading IAM": [allow("iam:Get*", "iam:List*", "iam:Simulate*", "iam:Generate*")],
    "AddUserToGroup of a group that gives nothing": [allow("iam:AddUserToGroup", on=EMPTY)],
    "AttachUserPolicy of a harmless policy": [
        allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": CAP}})
    ],
    "CreateUser without credentials": [
        allow("iam:CreateUser", "iam:PutUserPolicy", on=f"arn:aws:iam::{ACCOUNT}:user/x/*")
    ],
    "CreateRole without a policy": [allow("iam:CreateRole", "iam:TagRole")],
    "PutRolePolicy on a role that one cannot become": [allow("iam:PutRolePolicy", on=DEVELOPER)],
    "assuming where nobody trusts it": [allow("sts:AssumeRole", on=BUILDER)],
    "tags on which nothing hangs": [allow("iam:TagUser", "iam:TagRole", "iam:UntagUser")],
    "UpdateFunctionCode of one function that runs as another role": [
        allow("lambda:UpdateFunctionCode", on=f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:other")
    ],
}
FUNCTIONS = (
    Function(f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:builds", BUILDER),
    Function(f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:other", DEVELOPER),
)


@pytest.mark.parametrize("statements", HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_like_a_way_is_harmless(statements, account):
    """No unreviewed access, and nobody who can become the CI role."""
    facts = account(alice=statements, functions=FUNCTIONS)
    assert said(facts) == ""
    assert {each.name for each in who_can_assume(facts, "ci") if each.inside} == set()


def test_the_functions_that_run_as_a_role_decide_where_they_are_known(account):
    """The function by name; in other regions, or where they could not be listed, it cannot be ruled out."""
    updates = [allow("lambda:UpdateFunctionCode", on=FUNCTIONS[0].arn)]
    words = said(account(alice=updates, functions=FUNCTIONS))
    assert "can lambda:UpdateFunctionCode on the function builds, and so on role builder, and so push" in words
    assert "might be able to" in said(account(alice=updates, functions=None))
    assert "might be able to" in said(account(alice=[allow("lambda:UpdateFunctionCode")], functions=()))
    assert said(account(alice=updates, functions=())) == ""


def chain(account, **roles):
    """The account with more roles, each with statements and a trust policy."""
    facts = account()
    more = tuple(identity(name, statements=given, trust=trust) for name, (given, trust) in roles.items())
    return replace(facts, identities=(*facts.identities, *more))


def trusts(*who):
    """A trust policy for principals of the account."""
    return [{"Effect": "Allow", "Principal": {"AWS": list(who)}, "Action": "sts:AssumeRole"}]


def test_chains_are_followed_to_the_end(account):
    """Alice becomes `one`, which becomes `two`, which may make keys for bob, who pushes; each of them is told."""
    facts = chain(account, one=([], trusts(ALICE)), two=([allow("iam:CreateAccessKey", on=BOB)], trusts(arn("one"))))
    words = said(facts)
    steps = "sts:AssumeRole on role one, then sts:AssumeRole on role two, then iam:CreateAccessKey on user bob"
    assert f"{ALICE} can {steps}, and so push" in words
    assert f"{arn('one')} can sts:AssumeRole on role two, then" in words
    assert f"{arn('two')} can iam:CreateAccessKey on user bob, and so" in words


def test_a_step_that_another_takes_on_itself_is_told_by_its_name(account):
    """Who becomes a role takes the role's own steps under the role's name."""
    facts = chain(account, one=([allow("iam:PutRolePolicy", on=arn("one"))], trusts(ALICE)))
    words = said(facts)
    assert f"{ALICE} can sts:AssumeRole on role one, then iam:PutRolePolicy on role one, and so push" in words
    assert f"{arn('one')} can iam:PutRolePolicy on itself, and so push" in words


def test_who_can_change_what_he_can_become_gains_by_it(account):
    """Alice may assume `one` and write its policy: neither alone is a way, both together are."""
    trust = trusts(ALICE)
    assert said(chain(account, one=([], trust))) == ""
    facts = chain(account, one=([], trust))
    writing = text("inline policy of alice", [allow("iam:PutRolePolicy", on=arn("one"))])
    more = {ALICE: (writing,)}
    shown = (replace(each, policies=(*each.policies, *more.get(each.arn, ()))) for each in facts.identities)
    both = replace(facts, identities=tuple(shown))
    assert f"{ALICE} can iam:PutRolePolicy on role one, then sts:AssumeRole on role one, and so push" in said(both)


def test_a_role_between_may_do_the_changing(account):
    """Alice becomes `writer`, which changes `tool`, which alice becomes as well."""
    writes = [allow("iam:AttachRolePolicy", on=arn("tool"))]
    facts = chain(account, writer=(writes, trusts(ALICE)), tool=([], trusts(ALICE)))
    assert f"{ALICE} can" in said(facts)
    assert f"{arn('writer')} can" not in said(facts), "it cannot become what it changes"


def test_roles_that_become_each_other_end(account):
    """A circle gives nothing, and is gone round once."""
    facts = chain(account, one=([], trusts(arn("two"))), two=([], trusts(arn("one"))))
    assert said(facts) == ""


def test_tags_decide_where_a_condition_hangs_on_them(account):
    """Who may tag himself has what the tag gives; a tag that he may not set gives nothing."""
    tagged = {**PUSH, **when(aws_PrincipalTag__team="release")}
    assert said(account(alice=[tagged])) == ""
    assert "iam:TagUser on itself, and so push" in said(account(alice=[tagged, allow("iam:TagUser", on=ALICE)]))
    other = {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["cost"]}}}
    assert said(account(alice=[tagged, allow("iam:TagUser", on=ALICE, **other)])) == ""
    kept = deny("ecr:*", **when(aws_PrincipalTag__team="guests"))
    assert said(account(alice=[PUSH, kept], tags=[("team", "guests")])) == ""
    words = said(account(alice=[PUSH, kept, allow("iam:UntagUser")], tags=[("team", "guests")]))
    assert "might be able to iam:UntagUser on itself" in words


@pytest.mark.parametrize(
    ("action", "holder", "managed"),
    [
        ("iam:DeleteUserPolicy", ALICE, ""),
        ("iam:DetachUserPolicy", ALICE, OWN),
        ("iam:RemoveUserFromGroup", EMPTY, ""),
        ("iam:DetachGroupPolicy", EMPTY, OWN),
    ],
)
def test_a_deny_holds_as_long_as_it_cannot_be_taken_away(action, holder, managed, account):
    """Alice may push but for a Deny, and may take away what holds the Deny."""
    denying = replace(text("policy that denies", [deny("ecr:*")]), holder=holder, managed=managed)
    groups = [EMPTY]
    assert said(account(alice=[PUSH], attached=[denying], groups=groups)) == ""
    assert action in said(account(alice=[PUSH, allow(action)], attached=[denying], groups=groups))


def test_a_deny_on_the_repository_is_in_everybodys_way(account):
    """Whatever policy one writes for oneself."""
    keeps = [{"Effect": "Deny", "Principal": {"AWS": ALICE}, "Action": "ecr:*"}]
    facts = account(alice=[allow("iam:PutUserPolicy", on=ALICE), deny("ecr:SetRepositoryPolicy")], repository=keeps)
    words = said(facts)
    assert "iam:PutUserPolicy on itself, and so" not in words, "the Deny names alice"
    assert f"{ALICE} can iam:PutUserPolicy on itself, then iam:CreateAccessKey on user bob, and so push" in words


def test_an_administrator_who_was_reviewed_stays_green(account_with):
    """And whoever can become it does not."""
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    facts = account_with(developer=everything, alice=[allow("sts:AssumeRole", on=DEVELOPER)])
    entry = Review(DEVELOPER, ("push",), "a reason", "a role", date(2026, 1, 1), 1)
    expected = permission_checks.expected_holders(facts, "push", "ci", "runner")
    matrix = access_matrix(facts, who_can_assume(facts, "ci"), ci_role="ci")
    found = permission_checks.check_nobody_else(matrix, "push", ReviewedPrincipals("p", (entry,)), TODAY, expected)
    assert [each.cause.split(" can ")[0] for each in found.rejections] == [ALICE]


@pytest.mark.parametrize("path", ["aws-service-role/inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2"])
def test_a_service_linked_role_is_aws_itself(path, account):
    """It pulls what it scans, nobody can become or change it, and it stands in the matrix all the same."""
    pulls = [allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")]
    changes = [allow("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "inspector2:*",
                     on=f"arn:aws:iam::{ACCOUNT}:role/{path}")]  # fmt: skip
    facts = account(alice=changes)
    linked = replace(identity("x", statements=pulls, trust=services_trusted("inspector2.amazonaws.com")), arn=arn(path))
    facts = replace(facts, identities=(*facts.identities, linked))
    assert said(facts, "pull").count(" may ") == 0
    assert access_matrix(facts).row(arn(path)).cell("pull").answer


def test_everybody_who_may_become_a_holder_is_told(account):
    """A role that was reviewed for the push, and that anybody's workflow can take on."""
    host = "token.actions.githubusercontent.com"
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    trust = [{"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": {"StringLike": {f"{host}:sub": "repo:team/*"}}}]  # fmt: skip
    assert f"{host}:sub=repo:team/* can sts:AssumeRole on role builder, and so push" in said(
        account(builder_trust=trust)
    )
    trust[0]["Condition"]["StringLike"][f"{host}:sub"] = "repo:team/app:environment:production"
    assert said(account(builder_trust=trust)) == ""


def test_sso_roles_are_out_of_iams_hands_but_not_of_identity_centers(account):
    """Only who manages permission sets can change or hand out a role of IAM Identity Center."""
    path = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Push_0123456789abcdef"
    people = {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_x_DO_NOT_DELETE"}
    saml = [{"Effect": "Allow", "Principal": people, "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"]}]
    reserved = replace(identity("x", statements=[PUSH], trust=saml), arn=arn(path))

    def words(*statements):
        facts = account(alice=statements)
        facts = replace(facts, identities=(*facts.identities, reserved))
        return "\n".join(each.cause for each in unreviewed(facts, reviewed=(BOB, BUILDER, arn(path))).rejections)

    assert words(allow("iam:UpdateAssumeRolePolicy", on=arn(path))) == ""
    assert ALICE in words(allow("sso:CreateAccountAssignment"))
    assert ALICE in words(allow("iam:UpdateSAMLProvider"))


# Actions of IAM that manage permissions and give nobody access to the repository, and why.
NO_WAY = {
    "of its own credentials only": "ChangePassword",
    "credentials of other services, signatures of old protocols, and certificates": """CreateServiceSpecificCredential
        ResetServiceSpecificCredential UpdateServiceSpecificCredential DeleteServiceSpecificCredential
        UploadSSHPublicKey UpdateSSHPublicKey DeleteSSHPublicKey UploadSigningCertificate UpdateSigningCertificate
        DeleteSigningCertificate UploadServerCertificate UpdateServerCertificate DeleteServerCertificate
        TagServerCertificate UntagServerCertificate UploadCloudFrontPublicKey UpdateCloudFrontPublicKey
        DeleteCloudFrontPublicKey""",
    "without the secret an access key that is active again serves nobody": "UpdateAccessKey",
    "it takes away from others, and gives to nobody": """DeleteAccessKey DeleteLoginProfile DeleteUser DeleteGroup
        DeleteRole DeletePolicy DeletePolicyVersion DeleteInstanceProfile RemoveRoleFromInstanceProfile
        DeleteOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider DeleteServiceLinkedRole""",
    "a second factor is a condition that counts as met already": """CreateVirtualMFADevice EnableMFADevice
        DeactivateMFADevice DeleteVirtualMFADevice ResyncMFADevice TagMFADevice UntagMFADevice""",
    "no principal has it until it is attached": "CreatePolicy CreateInstanceProfile",
    "no trust policy names it": "CreateOpenIDConnectProvider",
    "the tokens of a trusted provider are still its own": """AddClientIDToOpenIDConnectProvider
        UpdateOpenIDConnectProviderThumbprint TagOpenIDConnectProvider UntagOpenIDConnectProvider""",
    "AWS alone takes it on": "CreateServiceLinkedRole",
    "policies are decided by the names that there are": "UpdateUser UpdateGroup",
    "they say nothing of permissions": """UpdateRole UpdateRoleDescription CreateAccountAlias DeleteAccountAlias
        UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy SetSecurityTokenServicePreferences
        SetSTSRegionalEndpointStatus UpdateAccountName UpdateAccountEmailAddress TagPolicy UntagPolicy
        TagInstanceProfile UntagInstanceProfile TagSAMLProvider UntagSAMLProvider""",
    "of the organization's management account, about root users, who are not checked": """
        EnableOrganizationsRootCredentialsManagement DisableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions DisableOrganizationsRootSessions EnableOutboundWebIdentityFederation
        DisableOutboundWebIdentityFederation""",
    "a request that somebody else has to grant": """AcceptDelegationRequest AssociateDelegationRequest
        CreateDelegationRequest RejectDelegationRequest SendDelegationToken""",
}


def every_action():
    """Every action of the tables."""
    creating = {each for one in principal_changes.CREATIONS for each in (one.makes, *one.gives, *one.takes)}
    running = {
        each for runs in escalation_methods.SERVICES.values() for one in (*runs.passing, *runs.holding) for each in one
    }
    sets = {each for one in (*escalation_methods.SSO, *escalation_methods.REPLACE_PROVIDER) for each in one}
    alone = (
        {each.action for each in principal_changes.CHANGES}
        | set(escalation_methods.CREDENTIALS)
        | {escalation_methods.REWRITE_TRUST, escalation_methods.ROLE_PASSING}
    )
    return alone | creating | running | sets


def test_every_way_is_an_action_that_aws_knows_and_has_a_source():
    """A misspelt action would be no way at all."""
    # In this process and for all services at once: asking for one after the other takes a second each.
    assert {each.lower() for each in every_action()} <= {each.lower() for each in get_all_actions()}
    sourced = (*principal_changes.CHANGES, *principal_changes.CREATIONS, *escalation_methods.SERVICES.values())
    assert all(each.source for each in sourced)
    assert all(escalation_methods.CREDENTIALS.values())


def test_every_action_of_iam_that_changes_something_is_a_way_or_known_to_be_none():
    """When AWS adds an action, somebody decides what it is."""
    none = {f"iam:{name}" for text_ in NO_WAY.values() for name in text_.split()}
    known = {name for name, action in actions("iam").items() if action.level not in ("Read", "List")}
    assert known - none == {each for each in every_action() if each.startswith("iam:")}
    assert none <= known


def test_a_long_chain_among_many_is_followed_in_time(account):
    """Forty roles, each of which trusts the one before, and more that have nothing to do with it."""
    begins = time.perf_counter()
    links = {f"link{n}": ([], trusts(arn(f"link{n - 1}") if n else ALICE)) for n in range(40)}
    last = {"last": ([allow("iam:PutRolePolicy", on=arn("last"))], trusts(arn("link39")))}
    idle = {f"idle{n}": ([allow("s3:*", "sts:AssumeRole", on=arn("nobody"))], None) for n in range(100)}
    facts = chain(account, **links, **last, **idle)
    found = unreviewed(facts).rejections
    assert len(found) == 42
    assert found[-1].cause.count("sts:AssumeRole on role") == 41
    assert time.perf_counter() - begins < 60
