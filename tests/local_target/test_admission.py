"""Statements beside an image in a real registry, and `python -m gate.admit` asking it, as a deployment does."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from gate.attestation.attach import OPENVEX, attach
from gate.attestation.referrers import Referrers
from gate.attestation.summary import PREDICATE, statement
from gate.evidence.statement import about
from gate.registry.pull import read_login
from localaws.target import LocalTarget
from tests.attestation.signers import summary, write_keys
from tests.local_target.registry_client import RegistryClient, login
from tests.seeded import SEEDED

REGISTRY = f"{SEEDED.account}.dkr.ecr.{SEEDED.region}.amazonaws.com"


class Shop:
    """One repository with an image, and a key."""

    def __init__(self, target: LocalTarget, owner: Any, repository: str, folder: Path) -> None:
        self.target, self.repository, self.folder = target, repository, folder
        client = RegistryClient(target.registry, login(owner))
        self.digest = client.push(repository, "v1", folder.name).headers["Docker-Content-Digest"]
        self.referrers = Referrers(read_login(owner.get_authorization_token()), repository)
        key = Ed25519PrivateKey.generate()
        self.signer, (_, self.public) = CryptoSigner(key), write_keys(folder, key)

    def attach(self, verdict: str, signer: CryptoSigner | None = None) -> None:
        """A run's statements, as a run attaches them; it ended just now."""
        now = datetime.now(UTC)
        uri = f"{REGISTRY}/{self.repository}"
        said = replace(summary(verdict), digest=self.digest, repository=uri, made_at=now)
        said = replace(said, valid_until=now.replace(year=now.year + 1) if verdict == "GO" else None)
        statements = [(OPENVEX, json.dumps(about(OPENVEX, {"statements": []}, uri, self.digest)).encode()),
                      (PREDICATE, statement(said, {"sha256": "c" * 64}, {}))]  # fmt: skip
        attach(self.referrers, self.digest, statements, signer or self.signer, now)

    def admit(self, *options: str, key: Path | None = None, role: str = SEEDED.administrator, **changed: str) -> Any:
        """The exit code and what was said."""
        image = f"{REGISTRY}/{self.repository}@{self.digest}"
        command = [sys.executable, "-m", "gate.admit", image, "--key", str(key or self.public), *options]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.target.environment(role), **changed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout.strip()


@pytest.fixture
def shop(target: LocalTarget, owner: Any, repository: str, tmp_path: Path) -> Shop:
    """A repository of this test's own."""
    return Shop(target, owner, repository, tmp_path)


@pytest.mark.docker
def test_a_deployment_asks_the_registry_alone(shop: Shop) -> None:
    """None yet, a rehearsal, a GO, a stranger's word, a night that takes the GO back; each asked by the command."""
    assert shop.admit() == (1, "NOT ADMITTED  no statement of the gate is stored beside it")
    shop.attach("REHEARSAL PASSED")
    assert shop.admit()[0] == 1
    assert "only a rehearsal" in shop.admit()[1]
    shop.attach("GO")
    code, said = shop.admit()
    assert (code, said.startswith("ADMITTED  GO of")) == (0, True)
    shop.attach("NO-GO", CryptoSigner(Ed25519PrivateKey.generate()))
    told = json.loads(shop.admit("--json")[1])
    assert (told["admitted"], told["verdict"], told["tags"]) == (True, "GO", ["v1.0.0"])
    shop.attach("NOT CLEAN")
    code, said = shop.admit()
    assert (code, "taken back by NOT CLEAN" in said, "CVE-1" in said) == (1, True, True)


@pytest.mark.docker
def test_another_key_admits_nothing(shop: Shop, tmp_path: Path) -> None:
    """A GO is a GO of one key's owner."""
    shop.attach("GO")
    (tmp_path / "other").mkdir()
    _, other = write_keys(tmp_path / "other", Ed25519PrivateKey.generate())
    assert shop.admit(key=other) == (
        1, "NOT ADMITTED  the statements beside it are signed by others than the given key or identity"
    )  # fmt: skip


@pytest.mark.docker
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [({"AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:9"}, "GetAuthorizationToken"),
     ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "GetAuthorizationToken")],
)  # fmt: skip
def test_what_nobody_can_know_is_unknown(shop: Shop, changed: dict[str, str], sentence: str) -> None:
    """No answer and no credentials are neither a yes nor a no."""
    shop.attach("GO")
    code, said = shop.admit(**changed)
    assert (code, said.startswith("UNKNOWN")) == (2, True)
    assert sentence in said


@pytest.mark.parametrize(
    "image", ["naver:v1", f"{REGISTRY}/a:v1", f"{REGISTRY}/a@sha256:12", "docker.io/a@sha256:" + "a" * 64]
)
def test_only_an_ecr_digest_is_asked_about(image: str, tmp_path: Path) -> None:
    """A tag may name another image by the time of the deployment."""
    _, public = write_keys(tmp_path, Ed25519PrivateKey.generate())
    command = [sys.executable, "-m", "gate.admit", image, "--key", str(public)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.startswith("UNKNOWN")) == (2, True)
