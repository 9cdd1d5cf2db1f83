"""The catalogue, read: what each fault does, and what must become of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gate.release import Release
from gate.release_file import release_of
from gate.scenarios.absent_parts import ReleaseParts
from gate.scenarios.features import Scenario, scenarios_of
from localaws.__main__ import seeded_release
from tests.faults import facts, services
from tests.faults.world import ROOT, World, with_dockerfile

FILE = Path(__file__).with_name("catalogue.yaml")
LEVELS = ("check", "service", "release", "layer")
PURE = {"put": facts.put, "append": facts.append, "drop": facts.drop, "finding": facts.finding,
        "register": facts.register, "reviews": facts.reviews, "files": facts.files}  # fmt: skip
# Of AC6, what asks the registry; the others are about the image alone.
_SIZE = "(ac6 and published)"
# The criteria whose scenarios read a fact, by the fact's name: no other scenario could notice.
_READ_BY: dict[str, set[int | str]] = {
    "candidate": {1, 6}, "candidate.sbom": {7, 9}, "candidate.pins": {1, 6, 9}, "candidate.interpreter": {1, 6, 9},
    "layer": {1, 6}, "dockerfile": {1, 6},
    "published": {2, 3, 4, _SIZE, 7, 8}, "promotions": {2}, "answered": {2, 3, 7, 8}, "facts": {2, 3, 7, 8},
    "files": {2, 3, 7, 8},
    "canaries": {2, 3, 7, 8}, "ecr": {2, _SIZE}, "scans": {7, 9}, "scanner": {7, 9}, "scan": {7, 9},
    "finding": {7, 9}, "register": {6, 7, 9},
    "release": {1, 6}, "release.signing_profile": {2}, "managed": {2},
    "support": {6}, "chrome": {9}, "newest": {9}, "history": {9}, "last_night": {9}, "access": {5}, "reviews": {5},
    "calls": {2, 4}, "legacy_now": {4}, "zip": {4}, "trail": {4}, "traffic": {4}, "pipeline": {4},
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One entry of the catalogue; a harmless change has no scenario.

    Attributes:
        red: the full names of the scenarios that must go red, the named scenario's first.
        also: the full names of the others that the fault makes false.
        named: the criteria of those others.
        says: words of the message.
        leaves: the tags in the registry after a whole release.
    """

    name: str
    level: str
    made: Mapping[str, Any]
    scenario: Scenario | None
    red: tuple[str, ...]
    also: frozenset[str]
    named: frozenset[int]
    says: tuple[str, ...]
    october: int | None
    leaves: frozenset[str] | None

    @property
    def only_reads(self) -> bool:
        """Whether the good release may stand as it is for this fault: no call changes it."""
        return "live" in self.made and not {"before", "behaves", "after"} & set(self.made["live"])

    @property
    def selection(self) -> str:
        """For -m, the scenarios that are run: those that read what the fault changes, and those that it names."""
        heads = {_head(path) for kind in ("put", "append", "drop") for path in self.made.get(kind, ())}
        heads |= {kind for kind in self.made if kind not in ("put", "append", "drop", "live", "release")}
        heads |= set(self.made.get("live", {}).get("looks", ()))
        found = self.named.union(*(_READ_BY[head] for head in heads))
        return " or ".join(sorted(each if isinstance(each, str) else f"ac{each}" for each in found))


def _head(path):
    first, second, *_ = [*path.split("."), ""]
    return f"{first}.{second}" if f"{first}.{second}" in _READ_BY else first


def scenarios(home: Path = ROOT) -> dict[str, Scenario]:
    """Every scenario of features/ by its title, with the names that it has for the release in a folder."""
    titled = ReleaseParts(release_of(home / "pytest.ini")).titled(scenarios_of(ROOT / "features"))
    return {scenario.name: scenario for scenario in titled.values()}


def read(home: Path = ROOT) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """The faults and the harmless changes that can be made to the release in a folder, with its own names."""
    release, known = release_of(home / "pytest.ini"), scenarios(home)
    document = yaml.safe_load(named(FILE.read_text(encoding="utf-8"), home))
    faults, harmless = (
        tuple(
            _fault({"fault": raw.get("change"), **raw, "also": _also(raw.get("also", ()), release)}, known)
            for raw in document[kind]
            if _is_about(raw, release)
        )
        for kind in ("faults", "harmless")
    )
    return faults, harmless


def _also(titles: Any, release: Release) -> list[Any]:
    """The scenarios that a fault makes false as well; of those with `only`, those that are about the release."""
    return [each["scenario"] if isinstance(each, dict) else each for each in titles
            if not isinstance(each, dict) or _is_about(each, release)]  # fmt: skip


def _is_about(raw: Any, release: Release) -> bool:
    return all(value in getattr(release, key) for key, value in raw.get("only", {}).items())


def named(text: str, home: Path) -> str:
    """The catalogue's text with the names of a release."""
    seeded = seeded_release(home / "pytest.ini")
    subject = seeded.ci_token_subject
    names = {**vars(release_of(home / "pytest.ini")), "developer": seeded.developer, "rule": seeded.rule,
             "zip_role": seeded.zip_role, "workflow": subject,
             "owner": subject.removeprefix("repo:").partition("/")[0]}  # fmt: skip
    for key, value in names.items():
        text = text.replace(f"<{key}>", str(value))
    return text


def _fault(raw, known):
    allowed = {"only", "fault", "change", "october", "level", "made", "scenario", "rows", "also", "says", "leaves"}
    assert set(raw) <= allowed, f"{raw['fault']}: unknown {set(raw) - allowed}"
    scenario = known[raw["scenario"]] if "scenario" in raw else None
    also = frozenset(name for title in _flat(raw.get("also", ())) for name in _full_names(title, known))
    return Fault(
        name=raw["fault"],
        level=raw["level"],
        made=raw["made"],
        scenario=scenario,
        red=tuple(_rows(scenario, raw.get("rows"))) if scenario else (),
        also=also,
        named=frozenset(each.criterion for each in known.values() if also & {*each.titles.values()}),
        says=tuple(raw.get("says", ())),
        october=raw.get("october"),
        leaves=frozenset(raw["leaves"]) if "leaves" in raw else None,
    )


def _flat(titles):
    # A list that several faults share stands in the list as a list.
    return [title for each in titles for title in ([each] if isinstance(each, str) else each)]


def _rows(scenario, rows):
    return [scenario.titles[row] for row in _rows_by_value(scenario, rows)] if rows else scenario.titles.values()


def _rows_by_value(scenario, rows):
    # pytest names a row by all of its values; the catalogue by the first.
    return [next(key for key in scenario.titles if key.split("-")[0] == row) for row in rows]


def _full_names(title, known):
    if title in known:
        return known[title].titles.values()
    assert any(title in scenario.titles.values() for scenario in known.values()), f"no scenario is called {title!r}"
    return [title]


def made(fault: Fault, world: World, stage: Any, layers: Any, around: ExitStack, folder: Path) -> World:
    """The world with the fault in it."""
    for kind, spec in fault.made.items():
        if kind in PURE:
            world = PURE[kind](world, spec)
        elif kind == "layer":
            world = layers.world(fault.name, world)
        elif kind == "live":
            world = services.live(world, spec, stage, around)
        elif kind == "release":
            world = services.released(world, spec, stage, around, folder)
        elif kind == "pipeline":
            world = services.pipeline(world, spec, folder / "pipeline")
        elif kind == "dockerfile":
            world = with_dockerfile(world, spec, folder / "context")
        else:
            raise AssertionError(f"nothing is known about making {kind!r}")
    return world
