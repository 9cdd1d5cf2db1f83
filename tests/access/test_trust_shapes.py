"""Trust policies as people write them: who is let in, and whether anybody could have reviewed that.

Each shape was seen in a public issue or in a provider's documentation, and is made small here.
"""

from datetime import date

import pytest

from gate.access import permission_checks
from gate.access.reviewed_principals import Review, ReviewedPrincipals, too_wide
from gate.access.reviewed_principals import read as read_reviews
from gate.access.trust import who_can_assume
from gate.errors import GateError
from tests.access.conftest import ACCOUNT

GITHUB = "token.actions.githubusercontent.com"
ENTERPRISE = "github.example.com/_services/token"
TODAY = date(2025, 10, 18)


def web(host, action="sts:AssumeRoleWithWebIdentity", **condition):
    """A trust policy for an OpenID Connect provider; keys stand without the host."""
    made = {
        operator.replace("_", ":"): {f"{host}:{key}": value for key, value in tests.items()}
        for operator, tests in condition.items()
    }
    provider = (
        host
        if host.endswith("amazonaws.com") or host == "accounts.google.com"
        else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    )
    return [{"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action, "Condition": made}]


AUD = {"aud": "sts.amazonaws.com"}
# Where it was seen; the trust policy; who is let in; whether that can be reviewed.
SHAPES = {
    "GitHub Docs, Configuring OpenID Connect in AWS": (
        web(GITHUB, StringEquals={**AUD, "sub": "repo:team/app:ref:refs/heads/main"}),
        f"{GITHUB}:sub=repo:team/app:ref:refs/heads/main",
        True,
    ),
    "aws-actions/configure-aws-credentials#672: an environment": (
        web(GITHUB, StringEquals={**AUD, "sub": "repo:team/app:environment:prod"}),
        f"{GITHUB}:sub=repo:team/app:environment:prod",
        True,
    ),
    "aws-actions/configure-aws-credentials#1238: any ref of one repository": (
        web(GITHUB, StringEquals=AUD, StringLike={"sub": "repo:team/app:*"}),
        f"{GITHUB}:sub=repo:team/app:*",
        True,
    ),
    "aws-actions/configure-aws-credentials#690: the audience for all values": (
        web(GITHUB, StringLike={"sub": "repo:team/app:*"}, ForAllValues_StringEquals=AUD),
        f"{GITHUB}:sub=repo:team/app:*",
        True,
    ),
    "terraform-aws-modules/terraform-aws-iam#659: immutable identifiers": (
        web(GITHUB, StringEquals={**AUD, "sub": "repo:team@123456/app@456789:ref:refs/heads/main"}),
        f"{GITHUB}:sub=repo:team@123456/app@456789:ref:refs/heads/main",
        True,
    ),
    "aws-actions/configure-aws-credentials#454: a subject of more scenarios": (
        web(GITHUB, StringLike={"sub": "repo:team/app:*:job_workflow_ref:team/app/.github/workflows/x.yaml@*"}),
        f"{GITHUB}:sub=repo:team/app:*:job_workflow_ref:team/app/.github/workflows/x.yaml@*",
        True,
    ),
    "AWS STS, January 2026: the repository by a scenario of its own": (
        web(GITHUB, StringEquals={**AUD, "repository_id": "456789", "environment": "prod"}),
        f"{GITHUB}:repository_id=456789",
        True,
    ),
    "chanzuckerberg/cztack#908: the organization's repositories, and one workflow of one repository": (
        web(
            GITHUB, StringLike={"sub": "repo:team/*"}, StringEquals={"repository": "team/app", "job_workflow_ref": "w"}
        ),
        f"{GITHUB}:repository=team/app",
        True,
    ),
    "GitHub Enterprise Server's documentation": (
        web(ENTERPRISE, StringEquals={**AUD, "sub": "repo:team/app:ref:refs/heads/main"}),
        f"{ENTERPRISE}:sub=repo:team/app:ref:refs/heads/main",
        True,
    ),
    "GitLab's documentation": (
        web("gitlab.com", StringLike={"sub": "project_path:group/sub/app:ref_type:branch:ref:*"}),
        "gitlab.com:sub=project_path:group/sub/app:ref_type:branch:ref:*",
        True,
    ),
    "HCP Terraform, workload identity for projects": (
        web(
            "app.terraform.io",
            StringEquals={"aud": "aws.workload.identity"},
            StringLike={"sub": "organization:team:project:Default Project:workspace:app:run_phase:*"},
        ),
        "app.terraform.io:sub=organization:team:project:Default Project:workspace:app:run_phase:*",
        True,
    ),
    "CircleCI's documentation": (
        web("oidc.circleci.com/org/1f", StringLike={"sub": "org/1f/project/2e/user/*"}),
        "oidc.circleci.com/org/1f:sub=org/1f/project/2e/user/*",
        True,
    ),
    "EKS, IAM roles for service accounts": (
        web("oidc.eks.ap-northeast-2.amazonaws.com/id/A1", StringEquals={"sub": "system:serviceaccount:build:pusher"}),
        "oidc.eks.ap-northeast-2.amazonaws.com/id/A1:sub=system:serviceaccount:build:pusher",
        True,
    ),
    "Google's documentation: one service account by its number": (
        web("accounts.google.com", StringEquals={"aud": "x", "oaud": "y", "sub": "104020302"}),
        "accounts.google.com:sub=104020302",
        True,
    ),
    "aws-actions/configure-aws-credentials: the audience alone": (
        web(GITHUB, StringEquals=AUD),
        f"{GITHUB}:sub=*",
        False,
    ),
    "no condition at all": (web(GITHUB), f"{GITHUB}:sub=*", False),
    "the whole organization": (
        web(GITHUB, StringEquals=AUD, StringLike={"sub": "repo:team/*"}),
        f"{GITHUB}:sub=repo:team/*",
        False,
    ),
    "the beginning of an organization's name": (
        web(GITHUB, StringLike={"sub": "repo:team*"}),
        f"{GITHUB}:sub=repo:team*",
        False,
    ),
    "the beginning of a repository's name": (
        web(GITHUB, StringLike={"sub": "repo:team/app*"}),
        f"{GITHUB}:sub=repo:team/app*",
        False,
    ),
    "everything": (web(GITHUB, StringLike={"sub": "*"}), f"{GITHUB}:sub=*", False),
    "everything of one branch": (
        web(GITHUB, StringLike={"sub": "repo:*:ref:refs/heads/main"}),
        f"{GITHUB}:sub=repo:*:ref:refs/heads/main",
        False,
    ),
    "github/docs#12137: the subject for all values, which a token without one meets": (
        web(GITHUB, ForAllValues_StringLike={"sub": "repo:team/app:*"}),
        f"{GITHUB}:sub=*",
        False,
    ),
    "a subject of the owner alone": (
        web(GITHUB, StringLike={"sub": "repository_owner:team:*"}),
        f"{GITHUB}:sub=repository_owner:team:*",
        False,
    ),
    "a subject of the environment alone": (
        web(GITHUB, StringEquals={"sub": "environment:prod"}),
        f"{GITHUB}:sub=environment:prod",
        False,
    ),
    "the owner by a scenario of its own": (
        web(GITHUB, StringEquals={**AUD, "repository_owner": "team"}),
        f"{GITHUB}:sub=*",
        False,
    ),
    "a reusable workflow, which anybody can call": (
        web(GITHUB, StringEquals={"job_workflow_ref": "team/app/.github/workflows/x.yml@refs/heads/main"}),
        f"{GITHUB}:sub=*",
        False,
    ),
    "any repository but one": (web(GITHUB, StringNotLike={"sub": "repo:evil/*"}), f"{GITHUB}:sub=*", False),
    "repositories by a pattern": (web(GITHUB, StringLike={"repository": "team/*"}), f"{GITHUB}:sub=*", False),
    "a GitLab group": (
        web("gitlab.com", StringLike={"sub": "project_path:group/*:ref_type:branch:ref:main"}),
        "gitlab.com:sub=project_path:group/*:ref_type:branch:ref:main",
        False,
    ),
    "abhiyerra/terraform-aws-oidc-gitlab: the audience alone": (
        web("gitlab.com", StringEquals={"aud": "https://gitlab.com"}),
        "gitlab.com:sub=*",
        False,
    ),
    "every workspace of an organization": (
        web("app.terraform.io", StringLike={"sub": "organization:team:*"}),
        "app.terraform.io:sub=organization:team:*",
        False,
    ),
    "every project of an organization": (
        web("oidc.circleci.com/org/1f", StringLike={"sub": "org/1f/*"}),
        "oidc.circleci.com/org/1f:sub=org/1f/*",
        False,
    ),
    "every service account of a namespace": (
        web("oidc.example.com", StringLike={"sub": "system:serviceaccount:build:*"}),
        "oidc.example.com:sub=system:serviceaccount:build:*",
        False,
    ),
}


@pytest.mark.parametrize(("trust", "name", "harmless"), SHAPES.values(), ids=SHAPES)
def test_trust_of_an_identity_provider_is_read_and_checked(trust, name, harmless, account_with):
    """Unreviewed, each is red; reviewed under its name, the narrow ones are green, and the wide ones cannot be."""
    assumption_paths = who_can_assume(account_with(trust=trust), "ci")
    names = [each.name for each in assumption_paths]
    assert names == [name]
    assert not permission_checks.check_role_assumption(
        assumption_paths, "ci", ReviewedPrincipals("p", ()), TODAY
    ).accepted
    entry = "principals:\n- {principal: '%s', may: [become], reason: r, reviewer: r, expires: 2026-01-01}\n"
    if harmless:
        listed = read_reviews(entry % names[0], "principals.yaml")
        assert permission_checks.check_role_assumption(assumption_paths, "ci", listed, TODAY).accepted
    else:
        assert too_wide(names[0])
        with pytest.raises(GateError, match="stands for more than one principal"):
            read_reviews(entry % names[0], "principals.yaml")
        (rejection,) = permission_checks.check_role_assumption(
            assumption_paths, "ci", ReviewedPrincipals("p", ()), TODAY
        ).rejections
        assert "principals.yaml" not in rejection.remedy, "nobody is told to list everybody"


OTHERS = {
    "SAML, one provider": (
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/people"},
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            }
        ],
        f"arn:aws:iam::{ACCOUNT}:saml-provider/people",
        True,
    ),
    "another account with an ExternalId": (
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "secret"}},
            }
        ],
        "account 111122223333",
        True,
    ),
    "one role of another account": (
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:role/deploy"},
                "Action": "sts:AssumeRole",
            }
        ],
        "arn:aws:iam::111122223333:role/deploy",
        True,
    ),
    "everybody with an ExternalId": (
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "secret"}},
            }
        ],
        "anybody else",
        False,
    ),
    "everybody of the organization": (
        [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
            }
        ],
        "anybody else",
        False,
    ),
    "everybody but one": (
        [{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}],
        "anybody else",
        False,
    ),
}


@pytest.mark.parametrize(("trust", "name", "harmless"), OTHERS.values(), ids=OTHERS)
def test_trust_of_others_is_read_and_checked(trust, name, harmless, account_with):
    """A provider, an account and a role can be reviewed; everybody cannot."""
    outside = [each for each in who_can_assume(account_with(trust=trust), "ci") if not each.inside]
    assert name in [each.name for each in outside]
    assert too_wide(name) is not harmless
    listed = ReviewedPrincipals("p", (Review(name, ("become",), "r", "r", date(2026, 1, 1), 1),))
    only = [each for each in outside if each.name == name]
    assert permission_checks.check_role_assumption(only, "ci", listed, TODAY).accepted


def test_a_trust_that_only_one_of_the_accounts_roles_meets_lets_in_that_one(account_with):
    """The account, tied to one principal by its ARN: the others' own permission does not suffice."""
    assume = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]
    trust = [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole",
              "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/dev*"}}}]  # fmt: skip
    assume[0]["Resource"] = f"arn:aws:iam::{ACCOUNT}:role/ci"
    facts = account_with(trust=trust, developer=assume, alice=assume)
    assert [each.name for each in who_can_assume(facts, "ci")] == [f"arn:aws:iam::{ACCOUNT}:role/developer"]
