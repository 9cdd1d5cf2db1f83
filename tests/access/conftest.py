"""A small account: the roles ci, runner and developer, the user alice, and the repository policy that was reviewed."""

import json
from datetime import date

import pytest

from gate.access.access_facts import AccessFacts, Identity
from gate.access.document import PolicyText

ACCOUNT = "654654307503"
FUNCTION = "naverplace_send_inform_v2"
PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
OIDC = "token.actions.githubusercontent.com"


def arn(name, kind="role"):
    """The ARN of a role or user of the account."""
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


REVIEWED = [
    {"Sid": "Push", "Effect": "Allow", "Principal": {"AWS": arn("ci")}, "Action": PUSH},
    {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": arn("runner")}, "Action": PULL},
    {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": PULL,
        "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:{FUNCTION}"}},
    },
]
CI = [
    {"Effect": "Allow", "Action": PUSH, "Resource": f"arn:aws:ecr:ap-northeast-2:{ACCOUNT}:repository/*"},
    {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
]
WORKFLOW = [
    {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{OIDC}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{OIDC}:sub": "repo:team/app:environment:production", f"{OIDC}:aud": "sts"}},
    }
]
BY_LAMBDA = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
BY_ACCOUNT = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]


def text(source, statements, version="2012-10-17"):
    """A policy as AWS would answer it."""
    document = {"Statement": statements} | ({} if version == "none" else {"Version": version})
    return PolicyText(source, json.dumps(document))


def identity(name, kind="role", statements=(), boundary=None, trust=None, version="2012-10-17"):
    """A role or user with one inline policy."""
    policies = (text(f"inline policy of {name}", list(statements), version),) if statements else ()
    capped = text(f"boundary of {name}", boundary, version) if boundary else None
    trusted = text(f"trust policy of {name}", trust or BY_ACCOUNT) if kind == "role" else None
    return Identity(arn(name, kind), f"ID{name.upper()}", policies, capped, trusted)


def make_account(
    *,
    policy=REVIEWED, repository=(), registry=None, ci=CI, developer=(), alice=(), boundaries=None, trust=WORKFLOW,
    version="2012-10-17", more=(), simulations=(), **facts,
):  # fmt: skip
    """The facts about the small account, with what the test changes; `facts` are further fields of them."""
    caps = boundaries or {}
    return AccessFacts(
        account=ACCOUNT,
        region="ap-northeast-2",
        repository="naver-sms-automation",
        function=FUNCTION,
        identities=(
            identity("ci", statements=ci, trust=trust),
            identity("runner", trust=BY_LAMBDA),
            identity("developer", statements=developer, boundary=caps.get("developer"), version=version),
            identity("alice", "user", statements=alice, boundary=caps.get("alice"), version=version),
            *more,
        ),
        repository_policy=None if policy is None else text("repository policy", [*policy, *repository]),
        registry_policy=text("registry policy", registry) if registry else None,
        repository_tags=(("Environment", "production"),),
        simulations=simulations,
        **facts,
    )


@pytest.fixture
def account_with():
    """Makes the small account with what the test changes."""
    return make_account


@pytest.fixture
def today():
    """The day of the release's first draft."""
    return date(2025, 10, 18)
