"""Changing recorded facts: one value by its path, a finding, an entry of a register, a file of the record. Pure."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Any

import yaml

from gate.access.document import PolicyText
from gate.access.reviewed_principals import read as read_reviews
from gate.browser.newest import NewestUnknown, listed
from gate.errors import AwsRefused, GateError
from gate.missing_facts import MissingFact
from gate.scan.exceptions.reading import parse as parse_register
from gate.scan.findings import ExploitData, Finding, tally
from gate.scan.report import InspectorCoverage
from gate.scan.statuses import Mode


def changed(value: Any, path: list[str], make: Any) -> Any:
    """A copy of a value, of which the part at the path is what `make` makes of it."""
    if not path:
        return make(value)
    head, *rest = path
    if isinstance(value, Mapping):
        return {**value, head: changed(value.get(head), rest, make)}
    if isinstance(value, tuple | list) and head == "*":
        return type(value)(changed(each, rest, make) for each in value)
    if isinstance(value, tuple | list):
        place = range(len(value))[int(head)]
        return type(value)([*value[:place], changed(value[place], rest, make), *value[place + 1 :]])
    inner = changed(getattr(value, head), rest, make)
    if is_dataclass(value):
        return replace(value, **{head: inner})
    twin = copy.copy(value)  # a candidate keeps its facts in its __dict__
    twin.__dict__[head] = inner
    twin.__dict__.pop("required_components", None)  # derived from others
    return twin


def _paths(path: str) -> list[list[str]]:
    """`scans.x` stands for the scan behind each tag, which is one scan of one digest."""
    head, _, rest = path.partition(".")
    if head == "scans":
        return [["scanner", kind, *rest.split(".")] for kind in ("release", "rolling")]
    return [path.split(".")]


def _at(world, path, make):
    for each in _paths(path):
        world = changed(world, each, make)
    return world


def put(world, changes):
    """Put other values in the places of recorded ones."""
    start = world
    for path, raw in changes.items():
        world = _at(world, path, lambda old, raw=raw: value_of(raw, old, start))
    return world


def append(world, additions):
    """Append one more like the last, with some fields different."""
    start = world
    for path, fields in additions.items():
        world = _at(world, path, lambda old, fields=fields: (*old, _like(old[-1], fields, start)))
    return world


def drop(world, where):
    """Take out of a tuple the items whose text holds a word."""
    for path, word in where.items():
        world = _at(world, path, lambda old, word=word: tuple(one for one in old if word not in str(one)))
    return world


def _like(one, fields, world):
    return replace(one, **{name: value_of(raw, getattr(one, name), world) for name, raw in fields.items()})


def value_of(raw: Any, old: Any, world: Any) -> Any:
    """What a value of the data file means in the place of an old one."""
    if isinstance(raw, dict) and len(raw) == 1 and next(iter(raw)) in _WORDS:
        ((word, given),) = raw.items()
        return _WORDS[word](given, old, world)
    if is_dataclass(old) and isinstance(raw, dict):
        return _like(old, raw, world)
    if isinstance(raw, str):
        filled = raw.replace("{digest}", world.published.digest)
        filled = filled.replace("{created}", world.published.after.repository.created_at.isoformat())
        return type(old)(filled) if isinstance(old, Enum) else filled
    return tuple(raw) if isinstance(old, tuple) and isinstance(raw, list) else raw


def _edited_text(given, old, _world):
    was, becomes = given
    assert was in old, f"{was!r} is not in {old!r}"
    return old.replace(was, becomes)


def _listed(given, world):
    try:
        return listed(given.encode(), "the list", world.now)
    except GateError as refused:
        return refused


# A mapping with one of these words for its only key is a value that YAML cannot write.
_WORDS = {
    "hours ago": lambda given, _old, world: world.now - timedelta(hours=given),
    "days ahead": lambda given, _old, world: world.now.date() + timedelta(days=given),
    "list that answers": lambda given, _old, world: _listed(given, world),
    "no list": lambda given, _old, _world: NewestUnknown(given),
    "sha of": lambda given, _old, _world: "sha256:" + hashlib.sha256(given.encode()).hexdigest(),
    "text": _edited_text,
    "policy": lambda given, _old, _world: PolicyText("registry policy", json.dumps(given)),
    # What stands in a fact's place when AWS refuses the operation that would answer it.
    "refused": lambda given, _old, _world: MissingFact(AwsRefused(f"The caller is not allowed {given}", where=given)),
    "coverage of": lambda given, old, world: InspectorCoverage(value_of(given, old, world)),
    "coverage": lambda given, _old, _world: InspectorCoverage(True, *given),
}


def finding(world, fields):
    """One more finding in the scan: behind both tags, or behind the one that `tag` names."""
    fields = dict(fields)
    exploits = ExploitData(**fields.pop("exploits", {}))
    kinds = [fields.pop("tag")] if "tag" in fields else ["release", "rolling"]
    base = {"package": "zlib1g", "installed": "1:1.2.13", "fixed": "", "score": None, "title": "", "uri": ""}
    made = Finding(**{**base, "source": Mode.BASIC, "entry": 10_000, **fields}, exploits=exploits)
    for kind in kinds:
        report = getattr(world.scanner, kind)
        found = (*report.findings, made)
        counted = replace(report, findings=found, counts=tuple(tally(found).items()))
        world = changed(world, ["scanner", kind], lambda _old, counted=counted: counted)
    return world


def register(world, change):
    """The register of exceptions with entries added, dropped or changed, read as any is; `beside` holds other files."""
    text = change.get("text")
    beside = {name: json.dumps(document).encode() for name, document in change.get("beside", {}).items()}
    if text is None:
        document = yaml.safe_load((world.home / "image" / "exceptions.yaml").read_text(encoding="utf-8"))
        text = edited_entries(document, change, world.now.date())
        for name, raw in beside.items():
            text = text.replace(f"sha256 of {name}", hashlib.sha256(raw).hexdigest())
    return replace(world, register=parse_register(text, file_beside=beside.__getitem__))


def reviews(world, change):
    """The reviewed principals with entries added, dropped or changed, read as they are."""
    document = yaml.safe_load((world.home / "image" / "principals.yaml").read_text(encoding="utf-8"))
    text = edited_entries(document, change, world.now.date())
    try:
        return replace(world, principals=read_reviews(text, "principals.yaml"))
    except GateError as refused:
        return replace(world, principals=refused)


def edited_entries(document: Any, change: Mapping[str, Any], today: date) -> str:
    """A reviewed file with entries added, dropped or changed, as YAML; `{in days: 3}` is a date."""
    for key, entries in change.get("add", {}).items():
        document[key] = [*document.get(key, ()), *(_dated(entry, today) for entry in entries)]
    for key, word in change.get("drop", {}).items():
        document[key] = [entry for entry in document[key] if word not in str(entry)]
    for key, fields in change.get("every", {}).items():
        document[key] = [{**entry, **_dated(fields, today)} for entry in document[key]]
    return yaml.safe_dump({**document, **change.get("set", {})}, sort_keys=False, allow_unicode=True)


def _dated(entry, today):
    def date_of(value):
        return today + timedelta(days=value["in days"]) if isinstance(value, dict) and "in days" in value else value

    found = {key: date_of(value) for key, value in entry.items()}
    assert all(isinstance(value, str | date | list) for value in found.values()), found
    return found


def files(world, edits):
    """Change files of the record once the run has written them, as somebody with an editor would."""
    return replace(world, record_edits=tuple(edits))
