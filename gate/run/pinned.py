"""`python -m gate.run.pinned` (`make claims`): the pinned list of claims, features/scenarios.lock, and what differs.

A run is decided by the scenarios that stand in features/. Each of them is pinned with its title, its tags and a hash of
its steps, so that one that was taken out, or now asks for less, is noticed by the run itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_bdd.feature import get_features

from gate.errors import EvidenceDamaged
from gate.evidence.reading import content, json_object
from gate.evidence.store import canonical, write_whole

# The folder of the gate's own features, whatever folder pytest was started in.
HOME = Path(__file__).resolve().parents[2] / "features"
LOCK = "scenarios.lock"
_COMPARED = ("tags", "steps", "names", "feature")
_AGAIN = "`make claims` pins the features as they are; review the difference"


@dataclass(frozen=True)
class Pinned:
    """One scenario as it is pinned.

    Attributes:
        feature: the name of its file.
        title: of the scenario, or of the outline.
        names: of its claims: one for each row of an outline.
        tags: its own and its feature's, sorted.
        steps: the sha-256 of its steps (with their tables and texts) and examples.
    """

    feature: str
    title: str
    names: tuple[str, ...]
    tags: tuple[str, ...]
    steps: str


@dataclass(frozen=True)
class Pin:
    """The pinned list.

    Attributes:
        claims: each scenario, by its title.
        sha256: of the file; "" when it could not be read.
        fault: why it could not.
    """

    claims: Mapping[str, Pinned]
    sha256: str
    fault: str = ""

    def names(self, *, rescan: bool) -> frozenset[str]:
        """The names that a full run (or a rescan) must contain."""
        return frozenset(
            name for each in self.claims.values() if not rescan or "rescan" in each.tags for name in each.names
        )


def claims_in(features: Path) -> dict[str, Pinned]:
    """Every scenario under a folder of features, as it would be pinned now."""
    found = (_pinned(each, scenario) for each in get_features([str(features)]) for scenario in each.scenarios.values())
    return {each.title: each for each in sorted(found, key=lambda each: (each.feature, each.title))}


def _pinned(feature: Any, scenario: Any) -> Pinned:
    from gate.run.scenarios import claim_of

    claim = claim_of(feature, scenario)
    steps = [[step.type, step.name, step.docstring, _rows(step)] for step in scenario.steps]
    examples = [[dict(row) for row in each.as_contexts()] for each in scenario.examples]
    made = hashlib.sha256(canonical([steps, examples])).hexdigest()
    return Pinned(
        Path(feature.filename).name, claim.name, tuple(claim.titles.values()), tuple(sorted(claim.tags)), made
    )


def _rows(step: Any) -> list[list[str]]:
    return [[cell.value for cell in row.cells] for row in step.datatable.rows] if step.datatable else []


def read(features: Path) -> Pin:
    """The pinned list beside the features; a list that cannot be read pins nothing, and says why."""
    try:
        raw = content(features / LOCK, f"features/{LOCK}")
        listed = json_object(raw, f"features/{LOCK}")["claims"]
        claims = [
            Pinned(each["feature"], each["title"], tuple(each["names"]), tuple(each["tags"]), each["steps"])
            for each in listed
        ]
    except EvidenceDamaged as damage:
        return Pin({}, "", damage.cause)
    except (KeyError, TypeError) as error:
        return Pin({}, "", f"features/{LOCK} is not of the form that `make claims` writes: {error}")
    return Pin({each.title: each for each in claims}, hashlib.sha256(raw).hexdigest())


def differences(pin: Pin, now: Mapping[str, Pinned]) -> Iterator[str]:
    """Each way in which the features differ from the pinned list, a sentence each."""
    if pin.fault:
        yield f"no claim is pinned: {pin.fault}"
        return
    for title in pin.claims.keys() - now.keys():
        yield f"the pinned claim “{title}” (features/{pin.claims[title].feature}) is not there"
    for title, claim in now.items():
        known = pin.claims.get(title)
        if known is None:
            yield f"the claim “{title}” (features/{claim.feature}) is not pinned: {_AGAIN}"
        elif other := " and ".join(name for name in _COMPARED if vars(known)[name] != vars(claim)[name]):
            yield f"the claim “{title}” (features/{claim.feature}) is not as it is pinned: its {other} differ"


def lock(claims: Iterable[Pinned]) -> bytes:
    """The file that pins these claims, one a line."""
    lines = ",\n".join("  " + json.dumps(vars(each), ensure_ascii=False) for each in claims)
    return f'{{"claims": [\n{lines}\n]}}\n'.encode()


def main() -> None:
    """Pin the features as they are."""
    claims = claims_in(HOME)
    write_whole(HOME / LOCK, lock(claims.values()))
    print(f"features/{LOCK}: {len(claims)} scenarios, {sum(len(each.names) for each in claims.values())} claims")


if __name__ == "__main__":
    main()
