"""The pages that people read: what they link to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _heading(line):
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", line.lstrip("# ").strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """A file of this repository, and in it the heading that is named."""
    dead = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = page.parent / path if path else page
        headings = file.read_text(encoding="utf-8").splitlines() if anchor and file.is_file() else ()
        if not file.exists() or (
            anchor and anchor not in {_heading(line) for line in headings if line.startswith("#")}
        ):
            dead.append(target)
    assert dead == []
