"""`make engines`: when all is well on an engine, and what the page says of those where it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.drive import Seen
from tests.engines.page import good, page
from tests.engines.recipes import ENGINES, client_commands

SAME = ("sha256:" + "9" * 64, 8, 184_563_955)
RELEASE = {"image_id": "sha256:" + "a" * 64, "digest": "sha256:" + "b" * 64, "media_type": "m", "uncompressed_bytes": 5}
ALL_HOLD = {"AC1": "13 of 13", "AC6": "8 of 8", "AC2": "1 of 1"}
WELL = Seen("An engine", same=SAME, release=RELEASE, layers=(15, 15), criteria=ALL_HOLD, seconds=131)


def test_an_engine_on_which_all_holds_is_good() -> None:
    """And the page says so, with the image's own figures."""
    assert good(WELL, SAME)
    written = page([WELL], SAME)
    assert "| all hold |" in written
    assert "184,563,955 | yes |" in written


@pytest.mark.parametrize(
    "seen",
    [
        replace(WELL, cannot="Debian's packages cannot be had"),
        replace(WELL, criteria={}),
        replace(WELL, criteria={**ALL_HOLD, "AC2": "0 of 1"}),
        replace(WELL, criteria={**ALL_HOLD, "AC6": "0 of 0"}),
        replace(WELL, same=(SAME[0], 8, 191_494_656)),
        replace(WELL, same=("sha256:other", 8, SAME[2])),
        replace(WELL, layers=(15, 14)),
        replace(WELL, layers=(0, 0)),
    ],
)
def test_whatever_is_missing_is_not_good(seen: Seen) -> None:
    """A sentence in its place, a scenario that does not hold or was not checked, another size, layer or image."""
    assert not good(seen, SAME)


def test_an_engine_that_cannot_be_had_is_its_one_sentence() -> None:
    """It has no row where images are compared."""
    written = page([Seen("Gone", cannot="a sandbox needs root")], SAME)
    assert written.count("Gone") == 1
    assert "a sandbox needs root" in written


def test_a_scenario_that_does_not_hold_stands_on_the_page() -> None:
    """With its reason."""
    written = page([replace(WELL, failed=["AC2: one manifest: refused"])], SAME)
    assert "- An engine: AC2: one manifest: refused" in written


def test_the_four_engines_share_files_and_never_data() -> None:
    """Each has a name, settings of its own, and a folder for its data."""
    names = [each.name for each in ENGINES]
    assert len(set(names)) == len(names) == 4
    assert all(each.same_root in ("", *names) for each in ENGINES)
    folders = [word for each in ENGINES for word in each.command if word.startswith("/var/lib/")]
    assert len(set(folders)) == len(folders) == 3


def test_the_docker_command_of_an_engine_runs_with_its_own_libraries(tmp_path: Path) -> None:
    """Its plug-ins too; without buildx there is none."""
    assert list(client_commands(tmp_path)) == ["bin/docker"]
    plugins = tmp_path / "usr/libexec/docker/cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").touch()
    found = client_commands(tmp_path)
    assert list(found) == ["bin/docker", "config/cli-plugins/docker-buildx"]
    assert all(f"--library-path {tmp_path}/usr/lib" in script for script in found.values())
