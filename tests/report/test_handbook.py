"""The pages that people rely on say what the code says."""

import subprocess
import sys
from pathlib import Path

from gate.scan.statuses import markdown

ROOT = Path(__file__).parents[2]


def test_the_on_call_page_lists_every_judge_as_it_is():
    """A judge that was added or reworded is in docs/on-call.md, or this test names the way: make handbook."""
    # A process of its own: the judges that tests make up are not on its roll.
    made = subprocess.run(
        [sys.executable, "-m", "gate.report.handbook"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert made.stdout == (ROOT / "docs" / "on-call.md").read_text(), "run `make handbook` and commit docs/on-call.md"


def test_the_readme_shows_the_status_table_that_the_code_uses():
    """The table of scan statuses in the README is the code's own."""
    assert markdown().strip() in (ROOT / "README.md").read_text()
