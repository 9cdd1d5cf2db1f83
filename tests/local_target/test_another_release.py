"""The local target of another team's release: everything that pytest.ini states, and nothing of this one's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.release_file import release_of
from localaws import LocalTargetError
from localaws.__main__ import seeded_release
from localaws.seed.release import SeededRelease
from localaws.target import LocalTarget
from tests.seeded import SEEDED

ROOT = Path(__file__).resolve().parents[2]
OWN = release_of(ROOT / "pytest.ini")
CHANGED = {
    OWN.account: "111122223333",
    OWN.region: "us-east-1",
    f"{OWN.repository}\n": "my-team/scraper\n",
    "latest": "newest",
    "= candidate": "= tried",
    OWN.ci_role: "scraper-pusher",
    OWN.lambda_role: "scraper-runner",
    OWN.verify_role: "scraper-night",
    OWN.function_name: "scraper",
    f"= {OWN.zip_function}": "= scraper-zip",
    OWN.ci_subject: "token.actions.githubusercontent.com:sub=repo:acme/scraper:environment:live",
}


def changed(text: str) -> str:
    """A file of this release as the other one has it."""
    for own, theirs in CHANGED.items():
        text = text.replace(own, theirs)
    return text


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pytest.ini of the other release, and its reviewed repository policy."""
    made = tmp_path_factory.mktemp("another")
    (made / "image").mkdir()
    for name in ("pytest.ini", "image/repository-policy.json"):
        (made / name).write_text(changed((ROOT / name).read_text(encoding="utf-8")), encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def release(folder: Path) -> SeededRelease:
    """What is seeded for it."""
    return seeded_release(folder / "pytest.ini")


def test_nothing_of_this_release_is_in_it(release: SeededRelease) -> None:
    """Every name is stated or derived."""
    everything = json.dumps([vars(release), release.developer, release.zip_role, release.scheduler_role, release.rule,
                             release.schedule, release.repository_arn])  # fmt: skip
    for own in (OWN.account, OWN.region, OWN.repository, OWN.zip_function):
        assert own not in everything
    assert (release.developer, release.zip_role, release.rule) == (
        "my-team-scraper-developer",
        "scraper-zip-role",
        "scraper-zip-every-20-minutes",
    )
    assert release.night_token_subject == "repo:acme/scraper:ref:refs/heads/main"
    assert release.moving_tags == ("newest", "tried")
    assert release.policies["publish"] != SEEDED.policies["publish"]


def test_what_pytest_ini_leaves_open_is_derived() -> None:
    """Names of the nightly role, the administrator and the workflow; no name is longer than IAM allows."""
    bare: dict[str, Any] = {"verify_role": "", "ci_subject": "", "repository": "my-team/" + "scraper" * 12}
    derived = SeededRelease.of(replace(OWN, **bare), ROOT / "image", {})
    assert derived.administrator == "administrator"
    assert derived.night_role.startswith("my-team-scraper")
    assert derived.ci_token_subject == f"repo:{bare['repository']}:environment:production"
    assert max(map(len, (derived.night_role, derived.developer, derived.scheduler_role))) <= 64
    gitlab = replace(OWN, ci_subject="gitlab.example:sub=project_path:acme/scraper:ref_type:branch")
    assert SeededRelease.of(gitlab, ROOT / "image", {}).night_token_subject == gitlab.ci_subject.partition("=")[2]


def test_a_region_that_cannot_be_simulated_is_refused() -> None:
    """Of another partition than aws, by botocore's data."""
    with pytest.raises(LocalTargetError, match="cn-north-1 is of 'aws-cn'"):
        SeededRelease.of(replace(OWN, region="cn-north-1"), ROOT / "image", {})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"policy": 3}'])
def test_a_file_that_states_no_release_is_refused(tmp_path: Path, content: str) -> None:
    """By its name; a reviewed policy that cannot be read is for the scenarios to tell."""
    (tmp_path / "pytest.ini").write_text("[tox]")
    with pytest.raises(LocalTargetError, match=r"pytest\.ini has no section"):
        seeded_release(tmp_path / "pytest.ini")
    (tmp_path / "repository-policy.json").write_text(content)
    assert SeededRelease.of(OWN, tmp_path, {}).repository_policy is None


@pytest.fixture(scope="session")
def running(release: SeededRelease, tmp_path_factory: pytest.TempPathFactory, volume: str) -> Iterator[LocalTarget]:
    """The local target of the other release, whose reviewed policy names one role more."""
    policy = json.loads(json.dumps(release.repository_policy))
    policy["Statement"][1]["Principal"]["AWS"] = [
        release.role_arn(release.lambda_role),
        release.role_arn("ops/auditor"),
    ]
    state = tmp_path_factory.mktemp("state")
    with LocalTarget(replace(release, repository_policy=policy), state=state, volume=volume) as started:
        yield started


def asked(target: LocalTarget, service: str, role: str = "") -> Any:
    """A client of the target."""
    return target.session(role).client(service, endpoint_url=target.endpoint)


@pytest.mark.docker
def test_every_part_of_it_is_there_under_its_own_name(running: LocalTarget) -> None:
    """The repository with its tags that move, the reviewed policy, the roles, the zip function and its schedules."""
    release = running.release
    ecr, functions, iam = (asked(running, service, release.administrator) for service in ("ecr", "lambda", "iam"))
    (found,) = ecr.describe_repositories()["repositories"]
    assert found["repositoryArn"] == "arn:aws:ecr:us-east-1:111122223333:repository/my-team/scraper"
    filters = found["imageTagMutabilityExclusionFilters"]
    assert [each["filter"] for each in filters] == ["newest", "tried"]
    policy = json.loads(ecr.get_repository_policy(repositoryName="my-team/scraper")["policyText"])
    assert policy == release.repository_policy
    (function,) = functions.list_functions()["Functions"]
    assert function["FunctionArn"] == "arn:aws:lambda:us-east-1:111122223333:function:scraper-zip"
    details = iam.get_account_authorization_details()["RoleDetailList"]
    assert {each["RoleName"] for each in details} >= {"scraper-pusher", "scraper-runner", "scraper-night", "auditor"}
    whole = json.dumps([details, function, policy], default=str)
    for own in (OWN.account, OWN.region, OWN.repository, OWN.zip_function):
        assert own not in whole


@pytest.mark.docker
def test_each_role_has_the_credentials_that_it_takes_there(running: LocalTarget) -> None:
    """By its own workflow, in its own account."""
    release = running.release
    for role in (release.ci_role, release.night_role, release.lambda_role, release.developer, release.administrator):
        identity = asked(running, "sts", role).get_caller_identity()
        assert identity["Arn"].startswith(f"arn:aws:sts::111122223333:assumed-role/{role}/")
    assert running.environment()["AWS_REGION"] == "us-east-1"


@pytest.mark.docker
def test_a_release_without_a_zip_function_has_none(tmp_path: Path, volume: str, release: SeededRelease) -> None:
    """No function, no schedule, none of their roles; without a reviewed policy the repository has none."""
    bare = replace(release, zip_function="", repository_policy=None)
    with LocalTarget(bare, state=tmp_path, volume=volume) as target:
        administrator = bare.administrator
        assert asked(target, "lambda", administrator).list_functions()["Functions"] == []
        assert asked(target, "scheduler", administrator).list_schedules()["Schedules"] == []
        assert asked(target, "events", administrator).list_rules()["Rules"] == []
        roles = {each["RoleName"] for each in asked(target, "iam", administrator).list_roles()["Roles"]}
        assert roles == {bare.ci_role, bare.night_role, bare.lambda_role, bare.developer, administrator}
        ecr = asked(target, "ecr")
        with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
            ecr.get_repository_policy(repositoryName=bare.repository)


@pytest.mark.docker
def test_a_reviewed_policy_that_ecr_would_refuse_is_told_as_such(
    tmp_path: Path, volume: str, release: SeededRelease
) -> None:
    """It names a user that nobody has made."""
    statement = {"Effect": "Allow", "Principal": {"AWS": release.iam_arn("user/nobody")}, "Action": "ecr:PutImage"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    with (
        pytest.raises(LocalTargetError, match=r"repository-policy\.json cannot be set .*Principal not found"),
        LocalTarget(replace(release, repository_policy=policy), state=tmp_path, volume=volume),
    ):
        pass
