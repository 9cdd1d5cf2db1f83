"""The evidence of a run: recorded step by step while a scenario runs, and read back from the disk as AC8 asks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pytest

from gate.evidence.reading import content, json_object
from gate.evidence.redact import HIDDEN, Redactor
from gate.evidence.store import EvidenceRecord, EvidenceStore
from gate.scenarios.features import Scenario
from gate.verdict import Status, StepOutcome

T = TypeVar("T")
MAX_BYTES = 50_000_000
_TEXTS = {".json", ".html", ".xml", ".md", ".log", ".txt"}


class EvidenceRecorder:
    """Follows one scenario. Steps reach it as the fixture `evidence`."""

    def __init__(self, store: EvidenceStore, scenario: Scenario, name: str, provenance: str) -> None:
        self.scenario = scenario
        self.name = name
        self.steps: list[StepOutcome] = []
        self.provenance = provenance
        self.only_aws = False
        self._store = store
        self._default = provenance
        self._began = 0.0

    def add(self, title: str, answer: T, *, asked: str, provenance: str | None = None) -> T:
        """Record an observation, before the assertion that may fail on it, and hand it on.

        Args:
            title: what was looked at.
            answer: what came back; dataclasses and nested values are fine, secrets are redacted.
            asked: the command or API call with which a person would get the same answer.
            provenance: "real" or "simulated" where it differs from the criterion's default.
        """
        record = self._store.record(
            title,
            answer,
            asked=asked,
            criterion=self.scenario.criterion,
            scenario=self.name,
            provenance=provenance or self._default,
        )
        # A scenario is as real as the least real observation in it.
        if record.provenance == "simulated":
            self.provenance = "simulated"
        if self.steps:
            self.steps[-1] = replace(self.steps[-1], evidence=(*self.steps[-1].evidence, record.number))
        return answer

    def leave_to_aws(self, reason: str) -> NoReturn:
        """End the scenario here: a rehearsal cannot show it, as one that is tagged @aws."""
        self.only_aws = True
        pytest.skip(reason)

    def attach(self, name: str, content: bytes) -> None:
        """Keep a file (a screenshot, a log) with the evidence."""
        self._store.attach(name, content)

    def step_begins(self, step: Any) -> None:
        """A step starts."""
        self._began = time.monotonic()
        self.steps.append(StepOutcome(step.keyword.strip(), step.name, "not run", 0.0))

    def step_ends(self, status: Status) -> None:
        """The running step has passed or failed."""
        if self.steps and self.steps[-1].status == "not run":
            self.steps[-1] = replace(self.steps[-1], status=status, seconds=time.monotonic() - self._began)


def hashes_of(paths: Mapping[str, str], beside: Path) -> dict[str, str]:
    """The sha-256 of each linked file that exists, by the path it is linked with."""
    files = {path: beside / path for path in paths}
    return {path: hashlib.sha256(file.read_bytes()).hexdigest() for path, file in files.items() if file.is_file()}


def digests_of(records: Iterable[EvidenceRecord], folder: Path) -> dict[str, str]:
    """The digest in the file of each record, by the file's name, as it stands on the disk now.

    Raises:
        EvidenceDamaged: one of the files is not there, or is no record.
    """
    names = [record.file_name for record in records]
    return {name: str(json_object(content(folder / name, name), name).get("digest") or "") for name in names}


def secrets_in(places: list[Path], redactor: Redactor, canaries: Mapping[str, str]) -> dict[str, list[str]]:
    """Every text artefact, with the kinds of secret that are in it.

    Args:
        places: files, and folders that are searched whole.
        redactor: what it would still change was not redacted.
        canaries: name → value of secrets that the redactor does not know.
    """
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return {
        str(file.name): _kinds(file, redactor, canaries) for file in files if file.is_file() and file.suffix in _TEXTS
    }


def _kinds(file: Path, redactor: Redactor, canaries: Mapping[str, str]) -> list[str]:
    if file.stat().st_size > MAX_BYTES:
        return [f"more than {MAX_BYTES:,} bytes, too many to be searched"]
    text = file.read_text(encoding="utf-8", errors="replace")
    found = [name for name, value in canaries.items() if value in text]
    # The mark itself may stand where a shape would match again.
    bare = text.replace(HIDDEN, "")
    return found + (["a text with the shape of a secret"] if redactor.text(bare) != bare else [])
