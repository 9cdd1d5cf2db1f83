"""The state on disk, passwords, pages, manifests, policies: the parts that need no server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws import LocalTargetError
from localaws.__main__ import no_proxy
from localaws.ecr import manifest
from localaws.ecr.authorization import Authorizer
from localaws.ecr.credentials import PASSWORD_LIFE, Credential, IssuedCredentials, RegistryPasswords
from localaws.ecr.errors import EcrError, RegistryError, as_registry_error
from localaws.ecr.operations import page
from localaws.ecr.policies import check_lifecycle, check_policy
from localaws.ecr.state import ImageState, RepositoryState, ScanState
from localaws.ecr.store import Store
from localaws.seed.repository import LIFECYCLE
from tests.seeded import SEEDED

BASELINE = Path(__file__).resolve().parents[2] / "image" / "repository-policy.json"
WHO = Credential("AKIA", "secret")


def test_the_state_survives(tmp_path: Path) -> None:
    """All that was changed is read again."""
    image = ImageState("sha256:1", "m", "a", 3, 4.0, tags=["v1"])
    standing = RepositoryState(
        "r", 1.0, "IMMUTABLE", images={"sha256:1": image}, scans={"sha256:1": ScanState("FAILED", "", 1.0)}
    )
    with Store(tmp_path / "ecr.json", "1").changing() as account:
        account.repositories["r"] = standing
    with Store(tmp_path / "ecr.json", "1").reading() as account:
        assert account.repositories == {"r": standing}


def test_a_change_that_fails_is_undone(tmp_path: Path) -> None:
    """Nothing of it is in memory or on disk."""
    store = Store(tmp_path / "ecr.json", "1")

    def fail_halfway() -> None:
        with store.changing() as account:
            account.repositories["r"] = RepositoryState("r", 1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with store.reading() as account:
        assert account.repositories == {}
    assert not (tmp_path / "ecr.json").exists()


def test_a_damaged_state_is_an_error(tmp_path: Path) -> None:
    """It is not taken for an empty one."""
    (tmp_path / "ecr.json").write_text('{"repositories": {')
    with pytest.raises(LocalTargetError, match="not readable"):
        Store(tmp_path / "ecr.json", "1")


def test_a_password_is_bound_to_its_principal_and_expires_after_twelve_hours() -> None:
    """It is valid for the user AWS until then."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    passwords = RegistryPasswords(lambda: now)
    password, expires = passwords.issue(WHO)
    assert expires == now + timedelta(hours=12)
    assert passwords.owner_of("AWS", password) == WHO
    for user, guess in (("aws", password), ("AWS", password + "x"), ("AWS", "")):
        with pytest.raises(RegistryError, match="authentication required"):
            passwords.owner_of(user, guess)
    now += PASSWORD_LIFE
    with pytest.raises(RegistryError, match="expired") as refusal:
        passwords.owner_of("AWS", password)
    assert refusal.value.status == 403


def test_two_passwords_are_never_equal() -> None:
    """Each is random."""
    passwords = RegistryPasswords(lambda: datetime.now(UTC))
    assert passwords.issue(WHO)[0] != passwords.issue(WHO)[0]


def test_an_access_key_that_was_not_issued_is_refused() -> None:
    """MiniStack's own root keys, which it does not check, are among them."""
    issued = IssuedCredentials((WHO,))
    assert issued.owner_of("AKIA") == WHO
    for key in ("test", SEEDED.account, ""):
        with pytest.raises(EcrError, match="was not issued"):
            issued.owner_of(key)


def test_an_authorization_check_that_does_not_answer_allows_nothing() -> None:
    """It is a server error."""
    silent = Authorizer("http://127.0.0.1:9", "r", "1")
    with pytest.raises(EcrError, match="does not answer"):
        silent.require(WHO, "PutImage", "r")
    with pytest.raises(EcrError, match="does not answer"):
        silent.denial([], b"")


@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_pages_hold_everything_once(entries: list[int], size: int) -> None:
    """Following nextToken to its end gives all entries in their order."""
    seen: list[int] = []
    parameters: dict[str, Any] = {"maxResults": size}
    while True:
        some, rest = page(entries, parameters)
        seen += some
        if not rest:
            break
        parameters |= rest
    assert seen == entries


@pytest.mark.parametrize(
    "parameters", [{"maxResults": 0}, {"maxResults": 1001}, {"nextToken": "x"}, {"nextToken": "eA=="}]
)
def test_a_wrong_page_is_refused(parameters: dict[str, Any]) -> None:
    """A size out of range and an unknown token are InvalidParameterException."""
    with pytest.raises(EcrError) as refusal:
        page([1], parameters)
    assert refusal.value.code == "InvalidParameterException"


def test_an_images_size_is_its_layers_and_configuration() -> None:
    """`imageSizeInBytes` is compressed, and not the manifest's length."""
    config, *layers = [{"mediaType": "c", "size": size, "digest": f"sha256:{'0' * 64}"} for size in (7, 100, 20)]
    body = {"schemaVersion": 2, "config": config, "layers": layers}
    read = manifest.read(json.dumps(body).encode(), manifest.DOCKER)
    assert (read.size, read.artifact, read.children) == (127, "c", ())


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"layers": 3}', b'{"manifests": [{}]}', b"\xff"])
def test_anything_but_a_manifest_is_refused(body: bytes) -> None:
    """The answer is InvalidParameterException."""
    with pytest.raises(EcrError) as refusal:
        manifest.read(body)
    assert refusal.value.code == "InvalidParameterException"


def test_an_error_of_ecr_has_a_code_in_the_registry_protocol() -> None:
    """An overwritten immutable tag is HTTP 400 TAG_INVALID there; an error without a code is a server error."""
    twin = as_registry_error(EcrError("ImageTagAlreadyExistsException", "why"))
    assert (twin.code, twin.status, twin.message) == ("TAG_INVALID", 400, "why")
    assert as_registry_error(EcrError("ServerException", "", 503)).status == 503


@pytest.mark.parametrize(
    "policy",
    [
        "not json",
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": [{"Effect": "Allow", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Perhaps", "Principal": "*", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": {"Aws": "x"}, "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "NotAction": "ecr:Get*"}]}',
        '{"Version": "2020-01-01", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}',
    ],
)
def test_an_invalid_policy_is_refused(policy: str) -> None:
    """On AWS it could not be set."""
    with pytest.raises(EcrError, match="Invalid repository policy provided"):
        check_policy(policy)


def test_the_reviewed_baseline_is_a_policy() -> None:
    """image/repository-policy.json holds a policy, and who reviewed it when."""
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    check_policy(json.dumps(baseline["policy"]))
    assert baseline["reviewed_by"]
    assert datetime.fromisoformat(baseline["reviewed_on"])


def _rule(priority: int = 1, **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1} | selection
    return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [_rule(0)],
        [_rule(tagStatus="tagged")],
        [_rule(tagStatus="any", tagPrefixList=["v"])],
        [_rule(tagStatus="tagged", tagPrefixList=["v"], tagPatternList=["v*"])],
        [_rule(tagStatus="tagged", tagPatternList=["a*b*c*d*e*"])],
        [_rule(countType="sinceImagePushed")],
        [_rule(countUnit="days")],
        [_rule(countNumber=0)],
        [_rule(countType="sinceForever", countUnit="days")],
        [{**_rule(), "action": {"type": "transition"}}],
        [_rule(1), _rule(1)],
        [_rule(1, tagStatus="any"), _rule(2)],
        [_rule(1), _rule(2)],
        [_rule(1, tagStatus="tagged", tagPrefixList=["v"]), _rule(2, tagStatus="tagged", tagPrefixList=["v"])],
    ],
)
def test_a_lifecycle_policy_that_ecr_does_not_accept_is_refused(rules: list[dict[str, Any]]) -> None:
    """Each rule is complete, priorities are unique, and the catch-all comes last."""
    with pytest.raises(EcrError):
        check_lifecycle(json.dumps({"rules": rules}))


def test_the_seeded_lifecycle_policy_is_accepted() -> None:
    """It selects untagged images only."""
    check_lifecycle(json.dumps(LIFECYCLE))
    assert {rule["selection"]["tagStatus"] for rule in LIFECYCLE["rules"]} == {"untagged"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "example.com"}, "example.com,127.0.0.1,localhost"),
        ({"no_proxy": "a.b, localhost", "NO_PROXY": "c.d"}, "a.b,localhost,c.d,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_the_printed_exports_keep_clients_from_asking_a_proxy(environment: dict[str, str], expected: str) -> None:
    """Both spellings except this machine's addresses, and existing exceptions stay."""
    assert no_proxy(environment) == {"no_proxy": expected, "NO_PROXY": expected}
