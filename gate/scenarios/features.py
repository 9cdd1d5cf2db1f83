"""The scenarios of features/, each with its criterion and tags; and their list, features/scenarios.lock.

A run is decided by the scenarios that stand in features/. Each of them is listed with its title, its tags and a hash of
its steps, so that a run notices one that was taken out, or now asks for less. `make scenarios` writes the list.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_bdd.feature import get_features

from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.reading import content, json_object
from gate.evidence.store import canonical
from gate.verdict import Kind

# The folder of the gate's own features, whatever folder pytest was started in.
HOME = Path(__file__).resolve().parents[2] / "features"
LOCK = "scenarios.lock"
_TITLE = re.compile(r"^[ \t]*(?:Scenario|Scenario Outline|Example|Scenario Template):[ \t]*(.*?)[ \t]*$", re.M)
_CRITERION = re.compile(r"ac([1-9])")
# AC1 and AC6 are about the image itself: it is really built and really run, whatever the target.
_ABOUT_THE_IMAGE = {1, 6}
_COMPARED = ("tags", "steps", "names", "feature")
_AGAIN = "`make scenarios` lists the features as they are; review the difference"


@dataclass(frozen=True)
class Scenario:
    """One scenario as its feature file states it.

    Attributes:
        name: the scenario's title.
        criterion: the acceptance criterion that its tags name.
        tags: its own and its feature's.
        description: the text under the title, on one line.
        titles: the title for each row of an outline, by the row's id in pytest; "" for a plain scenario.
        feature: the name of its file.
        line: of its title in it, counted from 1; 0 where that is not known.
        row_tags: the tags of the examples that a row stands in.
        steps: the sha-256 of its steps (with their tables and texts) and examples.
    """

    name: str
    criterion: int
    tags: frozenset[str]
    description: str
    titles: Mapping[str, str]
    feature: str = ""
    line: int = 0
    row_tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    steps: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The titles of its rows, or its one title."""
        return tuple(self.titles.values())

    @property
    def about_the_image(self) -> bool:
        """Whether it asks nothing of a registry or an account, so that nothing of it is simulated."""
        return self.criterion in _ABOUT_THE_IMAGE and "published" not in self.tags


def titles_in(file: Path) -> list[str]:
    """The titles of a feature file in their order, each as often as it stands there."""
    return _TITLE.findall(file.read_text(encoding="utf-8"))


def scenarios_of(features: Path) -> dict[str, Scenario]:
    """Every scenario, by the docstring that pytest-bdd gives its test ("file: scenario").

    Raises:
        WrongUse: two scenarios share a title (pytest-bdd would silently drop one), or one names no criterion.
    """
    found: dict[str, Scenario] = {}
    titles: set[str] = set()
    for feature in get_features([str(features)]):
        # Read from the text as well: of two equal titles in one file the parser has dropped the first.
        for title in titles_in(Path(feature.filename)):
            if title in titles:
                raise WrongUse(f"two scenarios are called {title!r}", where=feature.rel_filename)
            titles.add(title)
        for parsed in feature.scenarios.values():
            found[f"{feature.filename}: {parsed.name}"] = _scenario(feature, parsed)
    return found


def _scenario(feature: Any, parsed: Any) -> Scenario:
    tags = frozenset(parsed.tags | feature.tags)
    numbers = {int(m.group(1)) for tag in tags if (m := _CRITERION.fullmatch(tag))}
    if len(numbers) != 1:
        raise WrongUse(f"the scenario {parsed.name!r} must name one criterion", where=feature.rel_filename)
    rows = [(row, frozenset(examples.tags)) for examples in parsed.examples for row in examples.as_contexts()]
    titles = {"-".join(row.values()): _title(parsed.name, row) for row, _ in rows} or {"": parsed.name}
    row_tags = {"-".join(row.values()): own for row, own in rows}
    told, file = " ".join(parsed.description.split()), Path(feature.filename).name
    steps = _sha256_of_steps(parsed)
    return Scenario(parsed.name, numbers.pop(), tags, told, titles, file, parsed.line_number, row_tags, steps)


def _sha256_of_steps(parsed: Any) -> str:
    steps = [[step.type, step.name, step.docstring, _rows(step)] for step in parsed.steps]
    examples = [[dict(row) for row in each.as_contexts()] for each in parsed.examples]
    examples += [sorted(each.tags) for each in parsed.examples if each.tags]
    return hashlib.sha256(canonical([steps, examples])).hexdigest()


def _rows(step: Any) -> list[list[str]]:
    return [[cell.value for cell in row.cells] for row in step.datatable.rows] if step.datatable else []


def _title(template: str, row: Mapping[str, str]) -> str:
    """The outline's title with the row filled in, and behind it the values that it does not name."""
    title, unnamed = template, []
    for key, value in row.items():
        if f"<{key}>" in title:
            title = title.replace(f"<{key}>", value)
        else:
            unnamed.append(value)
    return f"{title} [{', '.join(unnamed)}]" if unnamed else title


def is_due(tags: Iterable[str], kind: Kind) -> bool:
    """Whether a run of this kind checks a scenario with these tags.

    A promotion by name is decided by what the registry, its access and its scans are now. What the image itself is
    was accepted by the run that released it.
    """
    if kind == "promotion":
        return bool({"ac2", "ac5", "ac7"}.intersection(tags)) and "needs_image" not in tags
    return kind != "rescan" or "rescan" in tags


def expected_names(scenarios: Iterable[Scenario], kind: Kind) -> frozenset[str]:
    """The names that a run of this kind must contain."""
    wanted = (each for each in scenarios if is_due(each.tags, kind))
    return frozenset(name for each in wanted for name in each.names)


@dataclass(frozen=True)
class ScenarioLock:
    """The list of scenarios.

    Attributes:
        scenarios: each, by its title; with what is listed of it alone.
        sha256: of the file; "" when it could not be read.
        fault: why it could not.
    """

    scenarios: Mapping[str, Scenario]
    sha256: str
    fault: str = ""

    def names(self, kind: Kind) -> frozenset[str]:
        """The names that a run of this kind must contain."""
        return expected_names(self.scenarios.values(), kind)


def read_lock(features: Path) -> ScenarioLock:
    """The list beside the features; one that cannot be read lists nothing, and says why."""
    try:
        raw = content(features / LOCK, f"features/{LOCK}")
        listed = json_object(raw, f"features/{LOCK}")["claims"]
        scenarios = {each["title"]: _listed(**each) for each in listed}
    except EvidenceDamaged as damage:
        return ScenarioLock({}, "", damage.cause)
    except (KeyError, TypeError) as error:
        return ScenarioLock({}, "", f"features/{LOCK} is not of the form that `make scenarios` writes: {error}")
    return ScenarioLock(scenarios, hashlib.sha256(raw).hexdigest())


def _listed(feature: str, title: str, names: list[str], tags: list[str], steps: str) -> Scenario:
    return Scenario(title, 0, frozenset(tags), "", {name: name for name in names}, feature, steps=steps)


def differences(lock: ScenarioLock, now: Iterable[Scenario]) -> Iterator[str]:
    """Each way in which the features differ from the list, a sentence each."""
    if lock.fault:
        yield f"no scenario is pinned: {lock.fault}"
        return
    found = {each.name: each for each in now}
    for title in lock.scenarios.keys() - found.keys():
        yield f"the pinned scenario “{title}” (features/{lock.scenarios[title].feature}) is not there"
    for title, each in found.items():
        known = lock.scenarios.get(title)
        if known is None:
            yield f"the scenario “{title}” (features/{each.feature}) is not pinned: {_AGAIN}"
        elif other := " and ".join(name for name in _COMPARED if getattr(known, name) != getattr(each, name)):
            yield f"the scenario “{title}” (features/{each.feature}) is not as it is pinned: its {other} differ"


def lock_text(scenarios: Iterable[Scenario]) -> bytes:
    """The file that lists these scenarios, one a line."""
    listed = [
        {
            "feature": each.feature,
            "title": each.name,
            "names": each.names,
            "tags": sorted(each.tags),
            "steps": each.steps,
        }
        for each in sorted(scenarios, key=lambda each: (each.feature, each.name))
    ]
    lines = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in listed)
    return f'{{"claims": [\n{lines}\n]}}\n'.encode()
