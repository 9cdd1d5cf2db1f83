"""The table of scenarios and of the faults that turn them red in a real run, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gate.scenarios.features import scenarios_of

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("rehearsals.yaml")


@dataclass(frozen=True)
class Rehearsal:
    """One run of `pytest features/` with faults around it.

    Attributes:
        name: what is wrong in it.
        cheap: whether it is run by `make test`; the others are run by `make faults`.
        docker: whether it needs the Docker engine.
        options: what pytest is given.
        image: the image that is checked: "good", "" to build one, or one of `images`; see images.py.
        folder: changes to the folder that holds the image's own files; see checkout.py. None: the repository's own.
        moments: when something is changed, and what; see outside.py.
        red: the scenarios that must go red, by full name, each with words of its message.
    """

    name: str
    cheap: bool
    docker: bool
    options: tuple[str, ...]
    image: str
    folder: Mapping[str, Any] | None
    moments: tuple[Mapping[str, Any], ...]
    red: Mapping[str, tuple[str, ...]]


def scenarios() -> set[str]:
    """Every scenario of features/ by its full name: one for each row of an outline."""
    return {name for scenario in scenarios_of(ROOT / "features").values() for name in scenario.titles.values()}


def images() -> dict[str, str]:
    """The images that are made for the table: the lines that follow `FROM` the good one."""
    found: dict[str, str] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["images"]
    return found


def rehearsals() -> tuple[Rehearsal, ...]:
    """The table."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(_rehearsal(each) for each in document["rehearsals"])


def _rehearsal(raw: Mapping[str, Any]) -> Rehearsal:
    allowed = {"rehearsal", "cheap", "docker", "options", "image", "folder", "moments", "red"}
    assert set(raw) <= allowed, f"{raw['rehearsal']}: unknown {set(raw) - allowed}"
    return Rehearsal(
        name=raw["rehearsal"],
        cheap=raw.get("cheap", False),
        docker=raw.get("docker", True),
        options=tuple(raw["options"]),
        image=raw.get("image", ""),
        folder=raw.get("folder"),
        moments=tuple(raw.get("moments", ())),
        red={scenario: tuple(words) for scenario, words in raw["red"].items()},
    )
