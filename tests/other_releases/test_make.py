"""The make targets that take RELEASE=dir: each is about the release there, and without it about the gate's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gate.caller_permissions.__main__ import main as policies
from tests.other_releases import folders

ROOT = Path(__file__).resolve().parents[2]
TAKEN = {
    "accept": '--release-folder "{}"',
    "rescan": '--release-folder "{}"',
    "docker-build": '--release-folder "{}"',
    "policies": '--release-folder "{}"',
    "local": '--ini "{}/pytest.ini"',
    "verify": '"{}/reports"',
    "audit": '--requirement "{}/image/requirements.txt"',
}


@pytest.mark.parametrize(("target", "option"), TAKEN.items())
def test_a_target_takes_the_release_in_another_folder(target, option):
    """As an argument, and as the environment variable that a workflow or a unit sets."""
    around = {"PATH": os.environ["PATH"]}
    command = ["make", "--dry-run", "--no-print-directory", target]
    for given, environment in (["RELEASE=/srv/scraper"], around), ([], {**around, "RELEASE": "/srv/scraper"}):
        done = subprocess.run([*command, *given], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert option.format("/srv/scraper") in done.stdout
    done = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=True)
    assert "scraper" not in done.stdout


def test_policies_are_written_beside_the_releases_own_pytest_ini(tmp_path, capsys):
    """For its roles, function and repository, and not for the gate's own."""
    folder = folders.plain(tmp_path / "plain")
    written = folder / "docs" / "policies" / "publish.json"
    adopted = written.read_text()
    written.unlink()
    policies(["--release-folder", str(folder)])
    assert written.read_text() == adopted
    assert "444455556666" in adopted
    assert "publish.json" in capsys.readouterr().out
