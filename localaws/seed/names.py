"""Account, region and names of what is seeded."""

from __future__ import annotations

from collections.abc import Mapping

from localaws import LocalTargetError

ACCOUNT = "654654307503"
REGION = "ap-northeast-2"
REPOSITORY = "naver-sms-automation"
REPOSITORY_ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}"

ADMINISTRATOR = "administrator"
CI_ROLE = "naver-sms-automation-ci-role"
VERIFY_ROLE = "naver-sms-automation-verify-role"
LAMBDA_ROLE = "naver-sms-automation-lambda-role"
DEVELOPER = "naver-sms-automation-developer"
SCHEDULER_ROLE = "naverplace_send_inform-scheduler-role"
ZIP_ROLE = "naverplace_send_inform-role-vb1bx6ro"

ZIP_FUNCTION = "naverplace_send_inform"
NEW_FUNCTION = "naverplace_send_inform_v2"

OIDC_HOST = "token.actions.githubusercontent.com"
OIDC_AUDIENCE = "sts.amazonaws.com"
OIDC_SUBJECT = "repo:naver-sms-automation/naver-sms-automation:environment:production"
# Nobody approves a nightly job, so its role can only read.
NIGHTLY_SUBJECT = "repo:naver-sms-automation/naver-sms-automation:ref:refs/heads/main"

TAGS = {
    "Project": "naver-sms-automation",
    "ManagedBy": "terraform",
    "Environment": "production",
    "ProvisionedBy": "platform-engineering",
}


# What a release needs to exist, by the keys of pytest.ini.
SEEDED = {
    "account": ACCOUNT,
    "region": REGION,
    "repository": REPOSITORY,
    "ci_role": CI_ROLE,
    "lambda_role": LAMBDA_ROLE,
    "zip_function": ZIP_FUNCTION,
    "function_name": NEW_FUNCTION,
}


def refuse_other_releases(release: Mapping[str, object]) -> None:
    """Refuse a release with another account, region or names than those that are seeded.

    Raises:
        LocalTargetError: names each, with what is seeded instead.
    """
    differing = [
        f"{name} is {seeded!r} there and {release[name]!r} here"
        for name, seeded in SEEDED.items()
        if release[name] != seeded
    ]
    if differing:
        raise LocalTargetError(
            f"the local target does not know this release: {'; '.join(differing)}. Rehearse what asks the image alone "
            '(-m "(ac1 or ac6) and not published"), change localaws/seed/names.py as well, or use --target aws'
        )


def role_arn(name: str) -> str:
    """The ARN of a role of this account."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"
