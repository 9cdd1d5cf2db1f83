"""Looking for a scenario takes under a second (make bench): nothing is loaded that only a run needs."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LISTING = """
import sys, pytest
code = pytest.main(["features/", "--collect-only", "-q"])
print([name for name in sys.modules if name.startswith(("steps", "boto", "docker")) or name.endswith("_checks")])
sys.exit(code)
"""


def test_scenarios_are_listed_from_their_features_alone():
    """No check, no SDK, not even the steps."""
    done = subprocess.run([sys.executable, "-c", LISTING], cwd=ROOT, capture_output=True, text=True, check=True)
    *scenarios, loaded = done.stdout.strip().splitlines()
    assert any(line.startswith("features/test_acceptance.py: ") for line in scenarios)
    assert loaded == "[]"


def test_step_fixtures_are_shown_to_who_asks_for_fixtures():
    """Only a list of scenarios does without the steps."""
    command = [sys.executable, "-m", "pytest", "features/", "--fixtures", "-q"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "steps/access.py" in shown
