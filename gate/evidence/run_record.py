"""The record of a run: all that its verdict follows from, so that it can be decided again later. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from gate.causes import causes
from gate.check import Rejection, SelfTest
from gate.errors import EvidenceDamaged
from gate.verdict import (
    CRITERIA,
    Kind,
    NotPart,
    ScenarioOutcome,
    Status,
    StepOutcome,
    Verdict,
    criterion_status,
    decide,
)

# The name in every run's folder; a record keeps it, so that older folders can be verified.
TITLE = "account of the run"
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
    try:
        return RunRecord(
            target=_one_of(("local", "aws"), answer["target"]),
            kind=_one_of(get_args(Kind), answer["kind"]),
            endpoint_is_aws=_one_of((True, False), answer["endpoint_is_aws"]),
            expected=frozenset(map(str, answer["expected"])),
            outcomes=tuple(map(_outcome, answer["outcomes"])),
            proofs=tuple(map(_self_test, answer["proofs"])),
            trouble=tuple(map(str, answer["trouble"])),
            release=dict(answer["release"]),
            started=str(answer["started"]),
            scan_completed_at=None if (at := answer["scan_completed_at"]) is None else _moment(at),
            overridden=tuple(map(_text, answer["overridden"])),
            # A run of an older gate has none.
            not_part=tuple(map(_not_part, answer.get("not_part", ()))),
            # A run of an older gate made none.
            remarks=tuple(map(_text, answer.get("remarks", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceDamaged(
            f"the {TITLE} cannot be read: {type(error).__name__}: {error}",
            remedy="verify with the version of the gate that made the run; else run the gate again",
        ) from error


def _self_test(found: Mapping[str, Any]) -> SelfTest:
    found = _renamed(found, _OLDER)
    return SelfTest(_text(found["check"]), _one_of((True, False), found["said_no"]), _text(found["answer"]))


def _renamed(found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in found.items()}


def _outcome(found: Mapping[str, Any]) -> ScenarioOutcome:
    found = _renamed(found, _OLDER)
    steps = tuple(StepOutcome(**{**step, "evidence": tuple(step["evidence"])}) for step in found["steps"])
    _one_of(get_args(Status), found["status"])
    _one_of(tuple(CRITERIA), found["criterion"])
    for name in ("only_aws", "checked"):
        _one_of((True, False), found[name])
    for name in ("name", "reason", "provenance"):
        _text(found[name])
    # A run of an older gate has none of these.
    kept = {name: tuple(map(_rejection, found.get(name, ()))) for name in ("rejections", "blocked_by")}
    return ScenarioOutcome(**{**found, **kept, "steps": steps})


def _not_part(found: Mapping[str, Any]) -> NotPart:
    return NotPart(_text(found["name"]), _one_of(tuple(CRITERIA), found["criterion"]), _text(found["reason"]))


def _rejection(found: Mapping[str, Any]) -> Rejection:
    texts = {name: _text(found[name]) for name in ("cause", "where", "remedy", "paste", "check")}
    return Rejection(**texts, follows=tuple(map(_text, found["follows"])))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _moment(value: Any) -> str:
    if datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return str(value)


def _one_of(known: tuple[Any, ...], value: Any) -> Any:
    # 1 == True in Python, and not in JSON.
    if not any(value == word and type(value) is type(word) for word in known):
        raise ValueError(f"{value!r} is none of {', '.join(map(str, known))}")
    return value
