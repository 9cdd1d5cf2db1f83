"""The evidence recorder: what the steps of one scenario do, and the evidence they leave."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from gate.evidence.store import EvidenceRecord, EvidenceStore
from gate.run.scenarios import Scenario
from gate.verdict import Status, StepOutcome


class EvidenceRecorder:
    """Follows one scenario. Steps reach it as the fixture `evidence`."""

    def __init__(self, store: EvidenceStore, claim: Scenario, name: str, provenance: str) -> None:
        self.claim = claim
        self.name = name
        self.steps: list[StepOutcome] = []
        self.provenance = provenance
        self._store = store
        self._default = provenance
        self._began = 0.0

    def add(self, title: str, answer: object, *, asked: str, provenance: str | None = None) -> EvidenceRecord:
        """EvidenceRecord an observation: before the assertion that may fail on it.

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
            criterion=self.claim.criterion,
            scenario=self.name,
            provenance=provenance or self._default,
        )
        # A claim is as real as the least real thing that it rests on.
        if record.provenance == "simulated":
            self.provenance = "simulated"
        if self.steps:
            self.steps[-1] = replace(self.steps[-1], evidence=(*self.steps[-1].evidence, record.number))
        return record

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
