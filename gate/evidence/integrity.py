"""Whether a run's folder is what the run left: hashes, records, and the verdict decided again. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gate.check import CheckResult, Rejection, SelfTest, check, reject, reject_each
from gate.errors import EvidenceDamaged
from gate.evidence.reading import RUN_AGAIN, json_object, shown
from gate.evidence.run_record import RunRecord
from gate.evidence.store import canonical
from gate.verdict import ScenarioOutcome

# Of a message, in characters; of the differences that are told one by one.
LONGEST, MOST = 120, 5
_AFTER = "do not rely on this folder: " + RUN_AGAIN
_FAILED = RunRecord(
    "aws", "full", True, frozenset(), (ScenarioOutcome("scenario", 7, "failed"),), (SelfTest("check", True, "no"),), (),
    {}, "2026-01-01T00:00:00+00:00", None,
)  # fmt: skip


@check(8, known_bad=lambda: ({"001-scan.json": "a"}, {"001-scan.json": "b"}))
def unaltered(
    listed: Mapping[str, str],
    found: Mapping[str, str],
    unread: Mapping[str, str] | None = None,
    *,
    by: str = "index",
    folder: str = "evidence/",
) -> CheckResult:
    """Every listed file is there with its sha-256, and no other file is.

    Args:
        listed: the sha-256 of each file, as it was sealed.
        found: the sha-256 of each file now.
        unread: why each other file that is there could not be read.
        by: what lists them: "index" or "seal".
        folder: what stands before a name in a sentence.
    """
    if not listed:
        return reject(f"the {by} lists no file: the run recorded nothing", folder or "seal.json",
                      "take the folder of another run, or run the gate again")  # fmt: skip
    closed = unread or {}
    wrong = {name: f"is missing: the {by} lists it" for name in listed if name not in {**found, **closed}}
    wrong |= {
        name: f"was altered: its sha-256 is {sha}, and was {listed[name]} when it was sealed"
        for name, sha in found.items()
        if sha != listed.get(name, sha)
    }
    wrong |= {name: f"is not in the {by}: it was added after the run" for name in found if name not in listed}
    causes = {**closed, **{name: f"{shown(folder + name)} {what}" for name, what in wrong.items()}}
    return CheckResult.of(Rejection(cause, shown(folder + name), _AFTER) for name, cause in causes.items())


@check(8, known_bad=lambda: ({"001-scan.json": b'{"number": 1, "answer": "none", "sha256": "a"}'},))
def intact(records: Mapping[str, bytes]) -> CheckResult:
    """Every record is whole, its answer has the sha-256 that it names, and none is missing from their count."""
    if not records:
        return reject("the evidence holds no record", where="evidence/", remedy=RUN_AGAIN)
    numbers = Counter(int(name.partition("-")[0]) for name in records)
    # As many numbers as records are due, from 1: a number far above them is no record of this run.
    gaps = [n for n in range(1, len(numbers) + 1) if n not in numbers]
    doubles = [n for n, times in numbers.items() if times != 1]
    broken = {shown(f"evidence/{name}"): what for name, raw in records.items() if (what := _fault(name, raw))}
    counted = [f"there {'is no record' if n in gaps else 'are two records'} with the number {n}"
               for n in (*gaps, *doubles)]  # fmt: skip
    whole = CheckResult.of(Rejection(f"{place} {what}", place, _AFTER) for place, what in broken.items())
    return whole + reject_each(counted, "evidence/", _AFTER)


def _fault(name: str, raw: bytes) -> str:
    try:
        record = json_object(raw, f"evidence/{name}")
        answered = hashlib.sha256(canonical(record["answer"])).hexdigest()
    except EvidenceDamaged as damage:
        return damage.cause.removeprefix(f"evidence/{name} ")
    except KeyError:
        return "is not a record: it lacks an answer that can be read"
    if record.get("sha256") != answered:
        return f"holds another answer than was recorded: its sha-256 is {answered}, not {record.get('sha256')}"
    number = int(name.partition("-")[0])
    return "" if record.get("number") == number else f"is not record {number}: it says {record.get('number')}"


@check(8, known_bad=lambda: ([{"file": "evidence/001-scan.json", "sha256": "a"}], {"001-scan.json": "b"}))
def listed(said: Sequence[Mapping[str, str]], index: Mapping[str, str]) -> CheckResult:
    """verdict.json names the files of the index, with the same hashes."""
    index_says = {f"evidence/{name}": sha for name, sha in index.items()}
    verdict_says = {str(entry.get("file")): entry.get("sha256") for entry in said}
    differing = [name for name in {**index_says, **verdict_says} if index_says.get(name) != verdict_says.get(name)]
    if len(said) != len(verdict_says):
        return reject("verdict.json lists a file of the evidence twice", where="verdict.json", remedy=_AFTER)
    said_of = (f"{name}: verdict.json says sha-256 {verdict_says.get(name)}, and the index says {index_says.get(name)}"
               for name in sorted(differing))  # fmt: skip
    return reject_each(said_of, "verdict.json", _AFTER)


@check(8, known_bad=lambda: ({"verdict": "GO"}, _FAILED))
def follows(document: Mapping[str, Any], run: RunRecord) -> CheckResult:
    """verdict.json says what follows from the recorded outcomes, decided again now."""
    verdict = run.verdict()
    stated = run.stated(verdict)
    said, again = _facts(document), _facts(stated)
    names = [name for name in {**again, **said} if said.get(name) != again.get(name)]
    wrong = [
        f"verdict.json says of {name}: {_short(said.get(name))}; the record of the run says: {_short(again.get(name))}"
        for name in names[:MOST]
    ]
    if len(names) > MOST:
        wrong.append(f"verdict.json says something else than the record of the run in {len(names) - MOST} more places")
    if document.get("verdict") != verdict.word:
        wrong.insert(0, f"verdict.json says {document.get('verdict')}, and decided again it is {verdict.word}")
    # No single fact differs; something else still may, such as a scenario that is listed twice.
    wrong += [
        f"verdict.json's {key} is not what follows"
        for key in dict.fromkeys((*stated, "causes", "beside", "remarks", "not_part"))
        if not wrong and document.get(key) != stated.get(key)
    ]
    return reject_each(wrong, "verdict.json", _AFTER)


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the record, name by name, so that a difference can be named."""
    plain = ("reasons", "target", "kind", "only_aws", "started", "valid_until")
    nested = ((f"{of}.{name}", value) for of in ("release", "judges") for name, value in document.get(of, {}).items())
    criteria = document.get("criteria", {})
    scenarios = (
        (f"“{scenario['name']}” (AC{n}), {name}", value)
        for n, criterion in criteria.items()
        for scenario in criterion["scenarios"]
        for name, value in scenario.items()
    )
    statuses = {f"AC{n}": criterion["status"] for n, criterion in criteria.items()}
    return {**{name: document.get(name) for name in plain}, **dict(nested), **statuses, **dict(scenarios)}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
