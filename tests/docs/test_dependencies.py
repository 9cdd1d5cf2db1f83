"""Every dependency says in the README why it is there, and the README names none that is gone."""

import fnmatch
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_says_why_each_package_is_there():
    """requirements.in and the README's table name the same packages."""
    lines = (ROOT / "requirements.in").read_text().splitlines()
    required = {re.split(r"[\[=<>]", line)[0].lower() for line in lines if line and not line.startswith("#")}
    table = (ROOT / "README.md").read_text().partition("## Dependencies")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")][2:]
    named = {name.strip().lower() for cell in cells for name in cell.split(",")}
    assert {package for package in required if not any(fnmatch.fnmatch(package, name) for name in named)} == set()
    assert {name for name in named if not fnmatch.filter(required, name)} == set()
