"""One image as four engines describe it (their recorded answers): the gate describes it once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from gate.engine.capabilities import is_docker_own_store
from gate.engine.image import InspectedImage, inspect
from gate.engine.saved_image import HistoryEntry, SavedImage

ANSWERS = Path(__file__).with_name("answers")
ENGINES = ("docker-20-classic", "docker-26-buildx", "docker-26-containerd", "podman-5")
OF_DOCKERS_OWN_STORE = ("docker-20-classic", "docker-26-buildx")
CONFIG = "sha256:9e8f94f239f6f4e2b05f73dd077acac2348c1faed60d21684ce7469654f2928f"
# By the archive of `docker save`, from any of the four.
BYTES = (129943256, 531, 37349381, 3048928, 12110676, 2110299, 442, 442)


def answers(engine: str) -> dict[str, Any]:
    """What the engine answered to /version, /info, and the image's inspection and history."""
    found: dict[str, Any] = json.loads((ANSWERS / f"{engine}.json").read_text())
    return found


def described(engine: str) -> InspectedImage:
    """The gate's description; where it has to measure, the measurement is given."""
    recorded = answers(engine)
    client = Mock()
    client.version.return_value, client.info.return_value = recorded["version"], recorded["info"]
    client.api.inspect_image.return_value, client.api.history.return_value = recorded["inspect"], recorded["history"]
    oldest_first = reversed(answers(OF_DOCKERS_OWN_STORE[0])["history"])
    sizes = iter(BYTES)
    history = tuple(HistoryEntry(each["CreatedBy"], next(sizes) if each["Size"] else 0) for each in oldest_first)
    saved = SavedImage(CONFIG, tuple(recorded["inspect"]["RootFS"]["Layers"]), history)
    return inspect(client, "x", {recorded["inspect"]["Id"]: saved})


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_is_the_same_on_every_engine(engine: str) -> None:
    """Identity, size, layers and their sizes are the same by any engine."""
    found, other = described(engine), described(OF_DOCKERS_OWN_STORE[0])
    assert (found.image_id, found.size_bytes, len(found.layers)) == (CONFIG, sum(BYTES), 8)
    assert (found.layers, found.layer_costs) == (other.layers, other.layer_costs)
    assert (found.platform, found.env, found.entrypoint, found.labels) == (
        other.platform, other.env, other.entrypoint, other.labels)  # fmt: skip


def test_engines_do_not_agree_by_themselves() -> None:
    """Why the archive is measured: one image has three sizes, and an ID that is not that of its configuration."""
    recorded = {engine: answers(engine) for engine in ENGINES}
    assert len({sum(entry["Size"] for entry in each["history"]) for each in recorded.values()}) == 3
    assert [engine for engine, each in recorded.items() if each["inspect"]["Id"] != CONFIG] == ["docker-26-containerd"]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_is_asked_for_by_the_engines_own_id(engine: str) -> None:
    """In containerd's store the configuration's digest finds nothing."""
    assert described(engine).engine_id == answers(engine)["inspect"]["Id"]


@pytest.mark.parametrize("engine", ENGINES)
def test_only_dockers_own_store_is_believed(engine: str) -> None:
    """The other two are measured."""
    recorded = answers(engine)
    assert is_docker_own_store(recorded["version"], recorded["info"]) is (engine in OF_DOCKERS_OWN_STORE)


@pytest.mark.parametrize("version", [{}, {"Components": None}, {"Components": [{"Name": "Podman Engine"}]}])
def test_an_engine_that_does_not_say_what_it_is_is_measured(version: dict[str, Any]) -> None:
    """An unknown engine is measured."""
    assert not is_docker_own_store(version, {"DriverStatus": [["Backing Filesystem", "extfs"]]})


@pytest.mark.parametrize(
    ("comment", "size"), [("buildkit.dockerfile.v0", 7), ("Imported from -", 5), ("", 5), (None, 5)]
)
def test_what_buildkit_made_is_measured(comment: str | None, size: int) -> None:
    """Docker's own store leaves out the symbolic links of such a layer: 5 bytes are told of 7."""
    told, client = answers("docker-26-buildx"), Mock()
    client.version.return_value, client.info.return_value = told["version"], told["info"]
    client.api.inspect_image.return_value = told["inspect"]
    client.api.history.return_value = [{"CreatedBy": "RUN x", "Size": 5, "Comment": comment}]
    found = inspect(client, "x", {told["inspect"]["Id"]: SavedImage(CONFIG, ("a",), (HistoryEntry("RUN x", 7),))})
    assert (found.size_bytes, found.image_id) == (size, CONFIG)


def test_what_was_measured_is_kept() -> None:
    """The archive of an image is read once in a run."""
    client = Mock()
    recorded = answers("podman-5")
    client.version.return_value, client.info.return_value = recorded["version"], recorded["info"]
    client.api.inspect_image.return_value = recorded["inspect"]
    kept = {recorded["inspect"]["Id"]: SavedImage(CONFIG, ("a",), (HistoryEntry("RUN x", 5),))}
    assert inspect(client, "x", kept).size_bytes == 5
    client.api.get.assert_not_called()
