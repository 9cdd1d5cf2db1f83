"""The claims: every scenario under features/, with its criterion and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_bdd.feature import get_features

from gate.errors import WrongUse

_TITLE = re.compile(r"^[ \t]*(?:Scenario|Scenario Outline|Example|Scenario Template):[ \t]*(.*?)[ \t]*$", re.M)
_CRITERION = re.compile(r"ac([1-9])")


@dataclass(frozen=True)
class Scenario:
    """One scenario as its feature file states it.

    Attributes:
        name: the scenario's title.
        criterion: the acceptance criterion that its tags name.
        tags: its own and its feature's.
        description: the text under the title, on one line.
        titles: the title for each row of an outline, by the row's id in pytest; "" for a plain scenario.
    """

    name: str
    criterion: int
    tags: frozenset[str]
    description: str
    titles: Mapping[str, str]


def catalogue(features: Path) -> dict[str, Scenario]:
    """Every claim, by the docstring that pytest-bdd gives its test ("file: scenario").

    Raises:
        WrongUse: two claims share a title (pytest-bdd would silently drop one), or one names no criterion.
    """
    claims: dict[str, Scenario] = {}
    titles: set[str] = set()
    for feature in get_features([str(features)]):
        # Read from the text as well: of two equal titles in one file the parser has dropped the first.
        for title in _TITLE.findall(Path(feature.filename).read_text(encoding="utf-8")):
            if title in titles:
                raise WrongUse(f"two scenarios are called {title!r}", where=feature.rel_filename)
            titles.add(title)
        for scenario in feature.scenarios.values():
            claims[f"{feature.filename}: {scenario.name}"] = claim_of(feature, scenario)
    return claims


def claim_of(feature: Any, scenario: Any) -> Scenario:
    """The claim that a scenario of a parsed feature states.

    Raises:
        WrongUse: it names no criterion, or more than one.
    """
    tags = frozenset(scenario.tags | feature.tags)
    numbers = {int(m.group(1)) for tag in tags if (m := _CRITERION.fullmatch(tag))}
    if len(numbers) != 1:
        raise WrongUse(f"the scenario {scenario.name!r} must name one criterion", where=feature.rel_filename)
    rows = [row for examples in scenario.examples for row in examples.as_contexts()]
    titles = {"-".join(row.values()): _title(scenario.name, row) for row in rows} or {"": scenario.name}
    return Scenario(scenario.name, numbers.pop(), tags, " ".join(scenario.description.split()), titles)


def _title(template: str, row: Mapping[str, str]) -> str:
    """The outline's title with the row filled in, and behind it what it did not name."""
    title, unnamed = template, []
    for key, value in row.items():
        if f"<{key}>" in title:
            title = title.replace(f"<{key}>", value)
        else:
            unnamed.append(value)
    return f"{title} [{', '.join(unnamed)}]" if unnamed else title


def expected_names(claims: dict[str, Scenario], *, rescan: bool) -> frozenset[str]:
    """The names that a full run (or a rescan) must contain."""
    wanted = (c for c in claims.values() if not rescan or "rescan" in c.tags)
    return frozenset(name for claim in wanted for name in claim.titles.values())
