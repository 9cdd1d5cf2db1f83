"""Every command that a page tells a person to type is one that works: it is run, as far as that costs nothing."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TYPED = re.compile(r"^\$ (.+?)(?:\s+#.*)?$", re.M)
INLINE = re.compile(r"`((?:make|pytest|python -m) [^`\n…\\]+)`")


def commands():
    """Each command once, with the pages that give it."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        # Remedies quote what somebody would type about an account of his own; the placeholder says so.
        for command in (*TYPED.findall(text), *INLINE.findall(text)):
            if "<" not in command:
                found.setdefault(command.strip(), set()).add(page.name)
    return sorted(found)


def run(command, folder=ROOT):
    """The command's exit code and what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def checked(command):
    """The command in the form in which running it does no work: a plan, a list, a help."""
    words = shlex.split(command)
    if words[0] == "make":
        return ["make", "--dry-run", *words[1:]]
    if words[0] == "pytest":
        return [sys.executable, "-m", *words, *([] if "--help" in words else ["--collect-only", "-q"])]
    if words[:2] == ["python", "-m"]:
        return [sys.executable, "-m", words[2], "--help"]
    return ["bash", "-n", "-c", command]


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_a_command_of_a_page_is_understood(command):
    """Its target, options, markers and modules exist; a scenario that it selects is there."""
    code, said = run(checked(command))
    assert code == 0, said


def test_the_keys_that_the_readme_makes_are_keys(tmp_path):
    """The one command that costs nothing to run whole."""
    (command,) = (each for each in commands() if each.startswith("openssl"))
    assert shutil.which("openssl")
    code, said = run(["bash", "-c", command], tmp_path)
    assert code == 0, said
    assert {path.name for path in tmp_path.iterdir()} == {"key.pem", "pub.pem"}
