"""Shapes that people met, made small by hand, each with the scenario that it is about and the right verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
VERDICTS = ("green", "red", "waited")
# A scenario's or an outline's title in a feature file.
_TITLE = re.compile(r"^\s*Scenario(?: Outline)?: (.+?)\s*$", re.M)


@dataclass(frozen=True)
class Shape:
    """One row.

    Attributes:
        seen: a public repository and the number of its issue or pull request, or the title of a document.
        shape: what it is, in a few words.
        scenario: the title of the scenario that it is about.
        kind: which reader it is fed to (`FEEDERS` in test_field.py).
        given: the shape itself, as that feeder takes it.
        verdict: green; red; waited: nothing comes until the time limit, and then it is red.
        says: words that the message of a red row holds.
    """

    seen: str
    shape: str
    scenario: str
    kind: str
    given: dict[str, Any]
    verdict: str
    says: list[str] = field(default_factory=list)

    @property
    def harmless(self) -> bool:
        """Whether it must not stop a release."""
        return self.verdict == "green"

    def __str__(self) -> str:
        return f"{self.seen}: {self.shape}"


def shapes() -> tuple[Shape, ...]:
    """Every row of every file."""
    return tuple(_rows())


def _rows() -> Iterator[Shape]:
    for path in sorted(Path(__file__).with_name("shapes").glob("*.yaml")):
        for raw in yaml.safe_load(path.read_text(encoding="utf-8"))["shapes"]:
            yield Shape(**raw)


def scenarios() -> frozenset[str]:
    """The titles of all scenarios."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "features").glob("*.feature"))
    return frozenset(title for text in texts for title in _TITLE.findall(text))
