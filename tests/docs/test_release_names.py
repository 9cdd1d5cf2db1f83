"""The names of this release are in pytest.ini and beside its image, and nowhere in what serves any release."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from gate.release_file import release_of

ROOT = Path(__file__).resolve().parents[2]
RELEASE = release_of(ROOT / "pytest.ini")
# What another team uses as it is.
GENERAL = ("gate", "steps", "localaws", "setup", "bench", ".github", ".ci", "docs/systemd", "conftest.py", "Makefile")
KEYS = ("account", "region", "repository", "ci_role", "lambda_role", "verify_role", "ci_subject", "function_name",
        "zip_function")  # fmt: skip
# The system that the release belongs to: no identifier of another release holds its name.
SYSTEM = re.match(r"[a-z]+", RELEASE.repository)[0]
# Digits of a hash may be those of an account.
HASH = re.compile(r"sha256:[0-9a-f]{64}")
# What was measured here, on this release.
MEASURED = ("bench/RESULTS.md",)


def named_in(text):
    """The names of this release in a text."""
    plain = HASH.sub("", text)
    names = {getattr(RELEASE, key) for key in KEYS} | {SYSTEM}
    return sorted(name for name in names if re.search(rf"(?<![0-9A-Za-z]){re.escape(name)}", plain, re.I))


def files():
    """Every text file that is general."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *GENERAL], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and name not in MEASURED and (ROOT / name).is_file()]


def test_no_name_of_this_release_is_in_what_serves_any_release():
    """In no file of code, set-up, workflow or unit."""
    found = {name: named_in((ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in files()}
    assert len(found) > 250
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"ACCOUNT = '{RELEASE.account}'", [RELEASE.account]),
        (f"AWS_REGION={RELEASE.region}", [RELEASE.region]),
        (f"arn:aws:iam::1:role/{RELEASE.ci_role}", [SYSTEM, RELEASE.repository, RELEASE.ci_role]),
        (f"{SYSTEM.upper()}_BASE", [SYSTEM]),
        (f"sha256:{RELEASE.account}{'a' * 52}", []),
        ("my-team/scraper in us-east-1 of 111122223333", []),
    ],
)
def test_the_search_finds_names_and_no_hashes(text, found):
    """In either case of letters."""
    assert named_in(text) == sorted(found)


def test_every_key_that_names_something_is_looked_for():
    """A key for a role, a function or a place that is added to pytest.ini has to be looked for too."""
    naming = {
        each.name for each in fields(RELEASE) if re.search(r"_role$|_function$|account|region|repository", each.name)
    }
    assert naming - set(KEYS) == {"administrator_role"}
