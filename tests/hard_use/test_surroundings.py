"""A whole rehearsal in surroundings that want to decide: it passes as it does anywhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from gate.publish.docker_build import main as build_image
from gate.run.environment import settle
from gate.scan.sbom import make_sbom
from tests.hard_use.runs import ROOT, Results

pytestmark = pytest.mark.docker
DEAD = "http://127.0.0.1:9"
NEEDED = ("conftest.py", "pytest.ini", "features", "steps", "gate", "localaws", "image", "docs")
HOSTILE = {
    # A proxy that is not there, for everything.
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), DEAD),
    "NO_PROXY": "example.com",
    # Somebody's own AWS.
    "AWS_PROFILE": "nobody",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": DEAD,
    "AWS_ENDPOINT_URL_ECR": DEAD,
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_DATA_PATH": "/nowhere",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "another",
    # A hook of git's, a builder set to another platform, a locale and a terminal like no other.
    "GIT_DIR": "/nowhere",
    "GIT_WORK_TREE": "/nowhere",
    "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
    "DOCKER_CONTENT_TRUST": "1",
    "DOCKER_BUILDKIT": "1",
    "DOCKER_CONTEXT": "nowhere",
    "BUILDX_BUILDER": "nowhere",
    "BUILDKIT_PROGRESS": "quiet",
    "SOURCE_DATE_EPOCH": "1",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Pacific/Kiritimati",
    "COLUMNS": "20",
    "TERM": "dumb",
    "CI": "true",
    "HOME": "/proc/nowhere",
    "PYTHONSTARTUP": "/nowhere/startup.py",
    "PYTHONHASHSEED": "7",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error::DeprecationWarning",
    "PYTEST_ADDOPTS": "-q",
}


@pytest.fixture
def clone(tmp_path):
    """A clone with what is here, under umask 077: nobody but its owner may read any of it."""
    folder = tmp_path / "clone"
    git("clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
    git("-C", str(folder), "reset", "--quiet")
    git(
        "-C",
        str(folder),
        "config",
        "remote.origin.url",
        git("-C", str(ROOT), "config", "--default", "", "remote.origin.url"),
    )
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    # The layers and the SBOM of the image: it must come out as the same.
    (folder / ".cache").symlink_to(ROOT / ".cache")
    return folder


def git(*words):
    """What git says."""
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def test_nothing_of_the_surroundings_decides(clone, engine, tmp_path):
    """From another folder, under umask 077, behind a dead proxy, with others' settings; the image is the same."""
    usual = engine.images.get(build_image([]))
    folders = ["-o", f"reports={tmp_path / 'reports'}", "-o", f"local_state={tmp_path / 'state'}"]
    command = [sys.executable, "-m", "pytest", str(clone / "features"), "-p", "no:cacheprovider", *folders]
    try:
        done = subprocess.run(
            command, cwd=clone / "image", env={**os.environ, **HOSTILE}, umask=0o077, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
    finally:
        usual.tag("naver-sms-automation", "latest")
    said, left = done.stdout + done.stderr, Results(tmp_path / "reports")
    assert (done.returncode, left.word) == (0, "REHEARSAL PASSED"), said
    assert "Traceback" not in said
    assert left.verdict["release"]["image_id"] == usual.id


def test_an_sbom_is_made_in_them_too(engine, tmp_path, monkeypatch):
    """By a program that reads many of these settings; the run above takes the SBOM that is kept for its image."""
    around = {**os.environ, **HOSTILE}
    settle(around, asks_aws=False)
    monkeypatch.setattr(os, "environ", around)
    image = engine.images.get("debian:bookworm-slim")
    made = make_sbom(f"docker:{image.id}", image.id, tmp_path)
    assert {"bash", "dpkg", "libc6"} <= {component.name for component in made.components}
