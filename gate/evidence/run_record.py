"""What a run records of itself: all that its verdict follows from, to be decided again, and its configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from gate.causes import causes
from gate.check import SelfTest
from gate.evidence.reading import as_written
from gate.typed import moment, typed
from gate.verdict import CRITERIA, Kind, NotPart, ScenarioOutcome, Verdict, criterion_status, decide

# The name in every run's folder; a record keeps it, so that older folders can be verified.
TITLE = "account of the run"
CONFIGURATION = "configuration of the run"
# Where a run writes, keeps its local state and its cache, for how long, and whom it tells; nothing that is checked.
NOT_OF_THE_RELEASE = ("reports", "local_state", "cache_dir", "keep_runs", "keep_nights", "on_not_clean")
_LONGEST = 80
# Names of fields as older gates wrote them.
_OLDER = {"judged": "checked", "judge": "check"}
# A GO rests on a scan; the story's policy asks for one that is at most a day old.
VALID_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class RunRecord:
    """What a run came to. The verdict is decided from this record, so that deciding again cannot differ.

    Attributes:
        release: verdict.json's `release`: digest, tags, sizes and image ID, as far as they are known.
        started: UTC, ISO 8601.
        remarks: what a reader should know beside the scenarios; they decide nothing.
        scan_completed_at: when the scan that the verdict rests on ended, ISO 8601; None when there is none.
    The others are the arguments of `gate.verdict.decide`.
    """

    target: str
    kind: Kind
    endpoint_is_aws: bool
    expected: frozenset[str]
    outcomes: tuple[ScenarioOutcome, ...]
    proofs: tuple[SelfTest, ...]
    trouble: tuple[str, ...]
    release: Mapping[str, Any]
    started: str
    scan_completed_at: str | None
    overridden: tuple[str, ...] = ()
    not_part: tuple[NotPart, ...] = ()
    remarks: tuple[str, ...] = ()

    def verdict(self) -> Verdict:
        """The verdict that follows."""
        return decide(
            self.outcomes,
            target=self.target,
            kind=self.kind,
            expected=self.expected,
            proofs=self.proofs,
            trouble=self.trouble,
            endpoint_is_aws=self.endpoint_is_aws,
            overridden=self.overridden,
            not_part=self.not_part,
        )

    def stated(self, verdict: Verdict) -> dict[str, Any]:
        """verdict.json, as far as it follows from the record and this verdict."""
        # A run of an older gate kept no objects, and its verdict.json states no causes.
        stated = [each.stated() for each in causes(self.outcomes)] if any(o.rejections for o in self.outcomes) else []
        return {
            "verdict": verdict.word,
            "reasons": list(verdict.reasons),
            **({"causes": stated, "beside": [*verdict.beside, *verdict.not_begun]} if stated else {}),
            "target": self.target,
            "endpoint_is_aws": self.target == "aws" and self.endpoint_is_aws,
            "kind": self.kind,
            "release": dict(self.release),
            "criteria": {str(number): self._criterion(number) for number in CRITERIA},
            "only_aws": list(verdict.only_aws),
            **({"not_part": [asdict(each) for each in self.not_part]} if self.not_part else {}),
            "judges": {"said_no": sum(p.said_no for p in self.proofs), "of": len(self.proofs)},
            **({"remarks": list(self.remarks)} if self.remarks else {}),
            "started": self.started,
            "valid_until": self._valid_until(verdict),
        }

    def _criterion(self, number: int) -> dict[str, Any]:
        own = [o for o in self.outcomes if o.criterion == number]
        scenarios = [
            {"name": o.name, "status": o.status, "reason": o.reason, "provenance": o.provenance, "only_aws": o.only_aws}
            for o in own
        ]
        return {
            "status": criterion_status(own, self.target if self.endpoint_is_aws else "local"),
            "scenarios": scenarios,
        }

    def _valid_until(self, verdict: Verdict) -> str | None:
        if verdict.word != "GO" or self.scan_completed_at is None:
            return None
        return (datetime.fromisoformat(self.scan_completed_at) + VALID_FOR).isoformat(timespec="seconds")


def run_record_in(answer: Any) -> RunRecord:
    """The run record, read back from the answer of its evidence record.

    Raises:
        EvidenceDamaged: it has gaps, or words that this gate does not know and so cannot check.
    """
    with as_written(f"the {TITLE}"):
        # A run of an older gate has none of these.
        outcomes = [{"rejections": [], "blocked_by": [], **_renamed(each)} for each in answer["outcomes"]]
        now = {"outcomes": outcomes, "proofs": [_renamed(each) for each in answer["proofs"]]}
        run: RunRecord = typed(RunRecord, {"not_part": [], "remarks": [], **answer, **now})
        if run.target not in ("local", "aws"):
            raise ValueError(f"{run.target!r} is no target")
        if unknown := {*(o.criterion for o in run.outcomes), *(n.criterion for n in run.not_part)} - CRITERIA.keys():
            raise ValueError(f"there is no criterion {', '.join(map(str, unknown))}")
        if run.scan_completed_at is not None:
            moment(run.scan_completed_at)
    return run


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_OLDER.get(name, name): value for name, value in found.items()}


@dataclass(frozen=True)
class Configuration:
    """What a run was configured with.

    Attributes:
        release: each key of the release with the value that the run decided by.
        stated: each with the value that the gate's own pytest.ini states.
        given: options of the command line that are documented to take a key's place, with their value.
        ini_file: where the settings came from, when that is another file than the gate's own pytest.ini; else "".
        settings: other keys of pytest.ini that were overridden (-o, PYTEST_ADDOPTS), with the value given.
        plugins: plugins that were asked for beyond those that pytest.ini names.
        python_flags: flags of the interpreter that change what the gate's code does.
        claims: each way in which the features differ from the pinned list of claims.
        pinned: the names of all pinned claims.
        pin_sha256: of the pinned list; "" when there is none.
        command_line: the arguments, secrets redacted.
        options: every option of the gate with its effective value.
        environment: the names of the variables that may matter; no values.
        gate: the commit of the gate, and whether its work tree was clean.
        versions: of Python, of the libraries that check, and of the Docker engine.
    """

    release: Mapping[str, Any]
    stated: Mapping[str, Any]
    given: Mapping[str, str]
    ini_file: str
    settings: Mapping[str, str]
    plugins: Sequence[str]
    python_flags: Sequence[str]
    claims: Sequence[str]
    pinned: Sequence[str]
    pin_sha256: str
    command_line: Sequence[str]
    options: Mapping[str, Any]
    environment: Sequence[str]
    gate: Mapping[str, Any]
    versions: Mapping[str, str]


def overridden(found: Configuration) -> tuple[str, ...]:
    """What was decided by something else than the repository states, a sentence each: the run is INCOMPLETE at most."""
    return (
        *(
            f"{key} is {_short(value)} in this run, and pytest.ini states {_short(found.stated.get(key))}"
            for key, value in found.release.items()
            # A key that is not there and one without a value say the same.
            if (value or None) != (found.stated.get(key) or None) and found.given.get(key) != value
        ),
        *([f"the settings were read from {found.ini_file}, not from the gate's pytest.ini"] if found.ini_file else []),
        *(f"the setting {key} is {_short(value)}, given on the command line" for key, value in found.settings.items()),
        *(f"the plugin {name} was loaded, which pytest.ini does not name" for name in found.plugins),
        *(f"Python ran with {flag}" for flag in found.python_flags),
        *found.claims,
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    if not text:
        return "nothing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def configuration_in(answer: Any) -> Configuration:
    """The configuration, read back from the answer of its record.

    Raises:
        EvidenceDamaged: it has gaps, or more than this gate knows.
    """
    with as_written(f"the {CONFIGURATION}"):
        found: Configuration = typed(Configuration, answer)
    return found
