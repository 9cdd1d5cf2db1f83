"""`--target aws`, pointed at a local target with enforcement on: the code that runs against AWS, rehearsed whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate.publish.build import STAND_IN
from gate.publish.docker_build import main as build_image
from localaws.access_keys import AccessKeys
from localaws.target import LocalTarget
from tests.screen import unwrapped
from tests.seeded import SEEDED

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What a run of the gate came to."""

    code: int
    screen: str
    folder: Path

    @property
    def verdict(self):
        """verdict.json."""
        return json.loads((self.folder / "verdict.json").read_text(encoding="utf-8"))

    @property
    def statuses(self):
        """Each scenario's status."""
        return {s["name"]: s["status"] for c in self.verdict["criteria"].values() for s in c["scenarios"]}

    @property
    def reasons(self):
        """Why a scenario is not passed."""
        return {s["name"]: s["reason"] for c in self.verdict["criteria"].values() for s in c["scenarios"]}

    def record(self, title):
        """The answer of the last record with this title."""
        found = [json.loads(path.read_text()) for path in sorted((self.folder / "evidence").glob("[0-9]*.json"))]
        return [each["answer"] for each in found if each["title"] == title][-1]


class Gate:
    """Runs `pytest features/ --target aws` as a person would, but for the endpoint."""

    def __init__(self, target: LocalTarget, reports: Path) -> None:
        self.target, self.reports = target, reports

    def checkout(self, base: str) -> Path:
        """A copy of the gate whose pytest.ini approves this base, as that of a team with such a base does.

        Given with -o it would be an override, and the run INCOMPLETE at most.
        """
        copy = self.reports.parent / f"checkout-{hashlib.sha256(base.encode()).hexdigest()[:12]}"
        if not copy.exists():
            for name in ("gate", "steps", "features", "localaws", "docs"):
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "conftest.py", copy)
            # The layers and the SBOM of the image, which is the same.
            (copy / ".cache").symlink_to(ROOT / ".cache")
            stated = (ROOT / "pytest.ini").read_text(encoding="utf-8")
            changed = re.sub(r"(?m)^approved_bases =\n(?:    .*\n)+", f"approved_bases =\n    {base}\n", stated)
            (copy / "pytest.ini").write_text(changed, encoding="utf-8")
        return copy

    def run(self, *options, role=SEEDED.ci_role, endpoint=None, reports=None, base=STAND_IN, **environment) -> Ran:
        """One run of the gate, with the credentials of a role."""
        folder = reports or self.reports
        endpoints = {"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_ECR": endpoint} if endpoint else {}
        keys = role.environment() if isinstance(role, AccessKeys) else {}
        given = self.target.environment(SEEDED.ci_role if keys else role)
        # Its own image, whose history git knows. As one word: pytest would take the folder for one of tests.
        context = () if "--image-context" in options else (f"--image-context={ROOT / 'image'}",)
        command = [sys.executable, "-m", "pytest", "features/", "--target", "aws", "-o", f"reports={folder}",
                   *context, *options]  # fmt: skip
        done = subprocess.run(
            command,
            cwd=self.checkout(base),
            env={**os.environ, **given, **keys, **endpoints, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        partial = {"-m", "-k"} & set(options) and "rescan" not in options
        kind = "partial" if partial else "rescan" if "rescan" in options else ""
        return Ran(done.returncode, unwrapped(done.stdout + done.stderr), folder / kind)


@pytest.fixture(scope="session")
def image():
    """The release's image, built before anything is timed; nothing, where it is there."""
    return build_image([])


@pytest.fixture(scope="session")
def target(tmp_path_factory):
    """A freshly seeded local target."""
    with LocalTarget(SEEDED, state=tmp_path_factory.mktemp("state")) as started:
        yield started


@pytest.fixture(scope="session")
def gate(target, image, tmp_path_factory):
    """The gate, with a reports folder of its own."""
    return Gate(target, tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def released(gate):
    """A whole publishing run as the CI role, which holds docs/policies/publish.json and nothing besides."""
    return gate.run("--publish")


@pytest.fixture
def role_with(target):
    """Makes a role that holds one policy, and answers its credentials."""
    administrator = target.session(SEEDED.administrator)
    iam, sts = (administrator.client(service, endpoint_url=target.endpoint) for service in ("iam", "sts"))
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{SEEDED.account}:root"}, "Action": "sts:AssumeRole"}
    name = f"granted-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))

    def grant(policy) -> AccessKeys:
        iam.put_role_policy(RoleName=name, PolicyName="granted", PolicyDocument=json.dumps(policy))
        given = sts.assume_role(RoleArn=SEEDED.role_arn(name), RoleSessionName="rehearsal")["Credentials"]
        return AccessKeys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    yield grant
    iam.delete_role_policy(RoleName=name, PolicyName="granted")
    iam.delete_role(RoleName=name)
