"""Who can become the CI role: by trust, by rewriting it, by passing the role, and by way of other roles."""

from dataclasses import replace

import pytest

from gate.access.decision import Ternary
from gate.access.document import PolicyText
from gate.access.trust import who_can_assume
from gate.errors import GateError

ACCOUNT = "654654307503"
HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
DEVELOPER, ALICE = f"arn:aws:iam::{ACCOUNT}:role/developer", f"arn:aws:iam::{ACCOUNT}:user/alice"
ASSUME = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]


def oidc(condition, action="sts:AssumeRoleWithWebIdentity"):
    """A trust statement for GitHub's workflows."""
    return [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": action, "Condition": condition}]


def aws(principal, **more):
    """A trust statement for principals of AWS."""
    return [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}]


def names(facts):
    """The names of all who can become the CI role."""
    return {each.name for each in who_can_assume(facts, "ci")}


@pytest.mark.parametrize(
    ("condition", "subjects"),
    [
        ({"StringEquals": {f"{HOST}:sub": "repo:team/app:ref:refs/heads/main"}}, ["repo:team/app:ref:refs/heads/main"]),
        ({"StringLike": {f"{HOST}:sub": "repo:team/app:*"}}, ["repo:team/app:*"]),
        ({"ForAnyValue:StringLike": {f"{HOST}:SUB": ["repo:a/b:*", "repo:c/d:*"]}}, ["repo:a/b:*", "repo:c/d:*"]),
        ({"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com"}}, ["*"]),
        ({}, ["*"]),
        ({"ForAllValues:StringEquals": {f"{HOST}:sub": "repo:team/app:x"}}, ["*"]),
        ({"StringNotEquals": {f"{HOST}:sub": "repo:team/app:x"}}, ["*"]),
        ({"StringEquals": {"other.host:sub": "repo:team/app:x"}}, ["*"]),
        (
            {"StringLike": {f"{HOST}:sub": "repo:*"}, "StringEquals": {f"{HOST}:sub": "repo:team/app:x"}},
            ["repo:team/app:x"],
        ),
    ],
)
def test_subjects_of_an_identity_provider_are_read_from_the_trust(condition, subjects, account_with):
    """The subject's pattern is what may become the role; where nothing ties it down, it is everybody's."""
    assert names(account_with(trust=oidc(condition))) == {f"{HOST}:sub={each}" for each in subjects}


def test_subject_that_a_deny_takes_out_cannot_become_the_role(account_with):
    """A Deny in the trust policy saves from the subject that it names."""
    sub = {"StringEquals": {f"{HOST}:sub": "repo:team/app:x"}}
    deny = {**oidc(sub)[0], "Effect": "Deny"}
    assert names(account_with(trust=[*oidc(sub), deny])) == set()


def test_trust_to_everybody_is_anybody(account_with):
    """Principal * in the trust lets anybody in, the account's own roles and users included."""
    assert {"anybody else", DEVELOPER, ALICE} <= names(account_with(trust=aws("*")))


def test_external_id_leaves_a_wildcard_undecided(account_with):
    """A secret that has to be known is not a review: the wildcard stays, undecided."""
    trust = aws({"AWS": "*"}, Condition={"StringEquals": {"sts:ExternalId": "secret"}})
    found = {each.name: each.decision.answer for each in who_can_assume(account_with(trust=trust), "ci")}
    assert found["anybody else"] is Ternary.UNDECIDED


def test_trust_to_the_account_takes_the_identity_policy_as_well(account_with):
    """The account's root in the trust delegates: only who may sts:AssumeRole by its own policy becomes the role."""
    root = aws({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert names(account_with(trust=root)) == set()
    assert names(account_with(trust=root, developer=ASSUME)) == {DEVELOPER}


def test_trust_to_a_named_user_suffices(account_with):
    """A user named in the trust becomes the role without a policy of its own; a policy alone does not suffice."""
    assert names(account_with(trust=aws({"AWS": ALICE}))) == {ALICE}
    assert DEVELOPER not in names(account_with(developer=ASSUME))


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ({"AWS": "111122223333"}, "account 111122223333"),
        ({"AWS": "arn:aws:iam::111122223333:role/x"}, "arn:aws:iam::111122223333:role/x"),
        ({"Service": "codebuild.amazonaws.com"}, "codebuild.amazonaws.com for account 654654307503"),
    ],
)
def test_external_principals_in_the_trust_are_named(principal, name, account_with):
    """Another account, its role, or a service that is trusted can become the role."""
    assert name in names(account_with(trust=aws(principal)))


def test_service_that_is_trusted_is_named_once(account_with):
    """A service takes a role on for the role's own account, so its two names are one subject to review."""
    services = [
        each for each in names(account_with(trust=aws({"Service": "codebuild.amazonaws.com"}))) if "codeb" in each
    ]
    assert len(services) == 1
    abroad = aws({"Service": "x.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})
    assert "x.amazonaws.com for other accounts" in names(account_with(trust=abroad))


def test_saml_provider_in_the_trust_is_named(account_with):
    """Whoever the SAML provider vouches for becomes the role."""
    provider = f"arn:aws:iam::{ACCOUNT}:saml-provider/people"
    trust = [{"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"}]
    assert names(account_with(trust=trust)) == {provider}


def test_who_may_rewrite_the_trust_can_become_the_role(account_with):
    """iam:UpdateAssumeRolePolicy on the role is a way in."""
    rewrite = [{"Effect": "Allow", "Action": "iam:Update*", "Resource": f"arn:aws:iam::{ACCOUNT}:role/ci"}]
    assumption_paths = {each.name: each for each in who_can_assume(account_with(developer=rewrite), "ci")}
    assert "rewrites the trust" in assumption_paths[DEVELOPER].decision.because[0]


def test_passing_the_role_counts_only_where_a_service_is_trusted_and_can_be_used(account_with):
    """iam:PassRole is a way in when the trust lets a service take the role on, and one may have the service do it."""
    passing = [{"Effect": "Allow", "Action": ["iam:PassRole", "ec2:RunInstances"], "Resource": "*"}]
    assert DEVELOPER not in names(account_with(developer=passing))
    trust = aws({"Service": "ec2.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    assert DEVELOPER in names(account_with(developer=passing, trust=trust))
    only = [{"Effect": "Allow", "Action": ["iam:PassRole", "ec2:Describe*"], "Resource": "*"}]
    assert DEVELOPER not in names(account_with(developer=only, trust=trust))


def test_way_through_another_role_is_followed(account_with):
    """Whoever becomes a role that becomes the CI role is found, with the path."""
    facts = account_with(trust=aws({"AWS": DEVELOPER}), alice=ASSUME)
    alice = next(each for each in who_can_assume(facts, "ci") if each.name == ALICE)
    assert alice.path == ("developer", "ci")


def test_roles_that_trust_each_other_are_no_endless_way(account_with):
    """Two roles that can become each other are each named once."""
    facts = account_with(trust=aws({"AWS": DEVELOPER}), ci=[{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    assert [each.name for each in who_can_assume(facts, "ci")] == [DEVELOPER]


def test_trust_that_is_missing_or_unreadable_is_an_error(account_with):
    """Without a readable trust policy nobody knows who becomes the role."""
    facts = account_with()
    ci = facts.identities[0]
    for trust in (None, PolicyText("trust policy of ci", "{]")):
        damaged = replace(facts, identities=(replace(ci, trust=trust), *facts.identities[1:]))
        with pytest.raises(GateError, match=r"trust|cannot be read"):
            who_can_assume(damaged, "ci")


def test_role_that_does_not_exist_is_an_error(account_with):
    """A role that is not there is named, instead of having nobody who becomes it."""
    with pytest.raises(GateError, match="no role ghost"):
        who_can_assume(account_with(), "ghost")
