"""The systemd units of the nightly rescan, and the page that explains them."""

import os
import re
import shlex
import subprocess

import pytest

from tests.workflows.files import ROOT

pytestmark = pytest.mark.slow

FOLDER = ROOT / "docs" / "systemd"
# systemd.service(5), systemd.timer(5), systemd.exec(5), systemd.unit(5): the directives that are used here.
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After", "OnFailure"},
    "Service": {"Type", "User", "SupplementaryGroups", "WorkingDirectory", "Environment", "ExecStart",
                "TimeoutStartSec", "UMask"},
    "Timer": {"OnCalendar", "Persistent", "RandomizedDelaySec"},
    "Install": {"WantedBy"},
}  # fmt: skip


def unit(name):
    """A unit's sections: name to directives, each with its values in order."""
    sections, section = {}, None
    for line in (FOLDER / name).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = sections.setdefault(header[1], {})
            continue
        key, _, value = line.partition("=")
        section.setdefault(key, []).append(value)
    return sections


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_unit_holds_sections_and_directives_that_systemd_knows(path):
    """A misspelt directive would be ignored by systemd without a failure."""
    for section, directives in unit(path.name).items():
        assert set(directives) <= KNOWN[section]


def test_the_timer_starts_the_job_every_night_and_makes_up_for_a_missed_one():
    """A timer starts the service of its own name."""
    timer = unit("release-gate-rescan.timer")["Timer"]
    assert timer["OnCalendar"] == ["*-*-* 03:17:00 Asia/Seoul"]
    assert timer["Persistent"] == ["true"]
    assert (FOLDER / "release-gate-rescan.service").exists()


def test_the_job_runs_the_rescan_on_aws_and_tells_when_it_fails():
    """One command, no shell; its failure starts the alarm."""
    job = unit("release-gate-rescan.service")
    (command,) = job["Service"]["ExecStart"]
    assert shlex.split(command) == ["/usr/bin/make", "rescan", "ARGS=--target aws"]
    assert job["Service"]["Type"] == ["oneshot"]
    assert job["Unit"]["OnFailure"] == ["release-gate-alarm@%n.service"]
    assert (FOLDER / "release-gate-alarm@.service").exists()


@pytest.mark.parametrize("release", ["", "/srv/scraper"])
def test_the_job_looks_at_the_release_in_the_folder_that_it_names(release):
    """Make takes RELEASE from the unit's environment, as systemd hands it over."""
    (command,) = unit("release-gate-rescan.service")["Service"]["ExecStart"]
    _, *arguments = shlex.split(command)
    around = {"PATH": os.environ["PATH"], "RELEASE": release}
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, env=around, capture_output=True, text=True,
                          check=True)  # fmt: skip
    folder = f'--release-folder "{release}" ' if release else ""
    assert " ".join(done.stdout.split()).endswith(f"pytest features/ -m rescan {folder}--target aws")


def test_the_page_links_only_to_what_is_there():
    """Every relative link of docs/nightly.md."""
    page = ROOT / "docs" / "nightly.md"
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_schedules_agree():
    """03:17 in Seoul is 18:17 UTC, on GitHub and on a machine of one's own."""
    assert 'cron: "17 18 * * *"' in (ROOT / ".github" / "workflows" / "nightly.yml").read_text()


def test_role_and_region_are_the_profiles():
    """The unit serves any release: it names a profile, and no region."""
    assert unit("release-gate-rescan.service")["Service"]["Environment"] == [
        "AWS_PROFILE=release-gate-verify",
        "RELEASE=",
    ]
