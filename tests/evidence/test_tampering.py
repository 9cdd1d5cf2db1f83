"""Any change of a sealed and signed folder is found, whatever is changed: drawn examples."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.evidence.__main__ import main
from tests.evidence.conftest import leave

NAMES = ("report.html", "report.sarif", "junit.xml", "build.log", "verdict.json", "seal.json", "statement.intoto.json",
         "statement.dsse.json", "evidence/index.json", "evidence/page.png",
         *(f"evidence/00{n}-look.json" for n in (1, 4, 5, 6, 8, 9)), "evidence/007-scan-behind-latest.json",
         "evidence/012-account-of-the-run.json")  # fmt: skip


@pytest.fixture(scope="module")
def signed(pair, tmp_path_factory):
    """Two signed folders that differ in their verdict, and a place to change copies in."""
    base = tmp_path_factory.mktemp("tampering")
    leave(base / "one", key=pair[0])
    leave(base / "two", key=pair[0], trouble=("crash",))
    return base


def verifies(folder: Path, key: Path) -> bool:
    """Whether the folder is VERIFIED."""
    return main([str(folder), "--key", str(key)]) == 0


@st.composite
def changes(draw):
    """What is done to a copy: flip a byte, cut, append, drop, swap two files, add one, or take one of another run."""
    kind = draw(st.sampled_from(("flip", "cut", "append", "drop", "swap", "add", "other run")))
    return kind, draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES)), draw(st.integers(0, 10_000)), draw(
        st.text("abc/.", min_size=1, max_size=6).filter(lambda name: name.strip("/.") != ""))  # fmt: skip


def apply(folder: Path, other: Path, change) -> None:
    """Do it."""
    kind, name, second, at, new = change
    path, content = folder / name, (folder / name).read_bytes()
    if kind == "flip":
        place = at % len(content)
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    elif kind == "cut":
        path.write_bytes(content[: at % len(content)])
    elif kind == "append":
        path.write_bytes(content + new.encode())
    elif kind == "drop":
        path.unlink()
    elif kind == "swap":
        path.write_bytes((folder / second).read_bytes())
        (folder / second).write_bytes(content)
    elif kind == "add":
        added = folder / "evidence" / "new" / new.strip("/.").replace("/", "").replace("..", "")
        added.parent.mkdir(exist_ok=True)
        added.write_text(new)
    else:
        path.write_bytes((other / name).read_bytes())


def contents(folder: Path):
    """Every file with its content."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=60)
@given(change=changes())
def test_no_change_of_a_signed_folder_stays_verified(signed, pair, change):
    """One byte is enough; and a change that changes nothing is none."""
    copy = signed / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(signed / "one", copy)
    apply(copy, signed / "two", change)
    same = contents(copy) == contents(signed / "one")
    assert verifies(copy, pair[1]) is same


def test_the_folders_as_they_are_verify(signed, pair):
    """Otherwise the above would prove nothing."""
    assert verifies(signed / "one", pair[1])
    assert verifies(signed / "two", pair[1])
