"""A folder of reports as a whole: the run in it, the other runs beside it, the recorded scans, and the notes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.errors import EvidenceDamaged, GateError
from gate.evidence import seal
from gate.evidence.deployment_notes import keys_in, metadata_in, section, without_attempt
from gate.evidence.reading import MOST_FILES, content, entries_of, is_folder, is_there, json_in, shown
from gate.evidence.seal import NotesSeal, Seal, sha256_of_text
from gate.evidence.signature import Whose
from gate.evidence.store import ENVELOPE, SEAL, STATEMENT
from gate.evidence.verify_run import FolderCheck, tried, verify

HISTORY = "rescan/scans"
_REMEDY = "do not rely on it: restore it from the run's artefact; if there is none, run the gate again"
# By one of these a folder beside the others is known to hold a run.
_MARKS = ("verdict.json", "evidence", SEAL, "report.html")
_CUT_SHORT = "the run was cut short before it sealed anything"
_AT = datetime(2026, 1, 1, tzinfo=UTC)
# Other runs in a folder of reports, each with the folders in it that are looked at elsewhere.
_OWN: Mapping[str, tuple[str, ...]] = {"partial": (), "promotion": (), "rescan": ("scans",)}


def verify_reports(path: Path, whose: Whose | None = None) -> tuple[FolderCheck, ...]:
    """Check the run in a folder (reports/, or that of one run), and everything else that lies in it.

    This key or identity is to have signed the run in the folder itself. The checks of the others carry their place; of
    a run that was cut short there is one, which is open.

    Raises:
        WrongUse: the path holds no run.
        EvidenceDamaged: it holds more than can be looked at.
    """
    scans = next((name for name in (HISTORY, "scans") if is_folder(path / name)), "")
    places = _places(path)
    own = verify(path, whose, (*places, scans) if scans else places)
    cut_short = [place for place in places if is_cut_short(path / place)]
    whole = [place for place in places if place not in cut_short]
    seals = {place: found for place in ("", *whole) if (found := _seal_of(path / place))}
    return (
        *own,
        tried("history", lambda: _history(path / scans if scans else None, seals.values())),
        tried("notes", lambda: _notes(path, seals)),
        *(replace(check, place=place) for place in whole for check in _other(path, place, whose)),
        *(FolderCheck("run", ACCEPTED, open=True, uncovered=(_CUT_SHORT,), place=place) for place in cut_short),
    )


def _places(path: Path) -> tuple[str, ...]:
    """Where other runs lie in a folder.

    Raises:
        EvidenceDamaged: there are more than can be looked at.
    """
    runs = path / "runs"
    kept = [f"runs/{each.name}" for each in islice(entries_of(runs), MOST_FILES + 1)] if is_folder(runs) else []
    if len(kept) > MOST_FILES:
        raise EvidenceDamaged(f"runs/ holds more than {MOST_FILES:,} entries", where=str(runs))
    # A folder that holds nothing of a run but the recorded scans is none.
    beside = [name for name in _OWN if is_folder(path / name) and any(is_there(path / name / each) for each in _MARKS)]
    return (*beside, *sorted(kept))


def _other(path: Path, place: str, whose: Whose | None) -> tuple[FolderCheck, ...]:
    if not is_folder(path / place):
        strange = reject(f"{shown(place)} is no folder, and only runs lie there", shown(place), _REMEDY)
        return (FolderCheck("run", strange),)
    try:
        checks = verify(path / place, whose, _OWN.get(place, ()))
    except GateError as error:
        return (FolderCheck("run", reject(error.cause, error.where or place, error.remedy)),)
    # Another run may be unsigned, or signed by an older key: the given key was asked for the run in the folder itself.
    return tuple(
        FolderCheck(check.name, ACCEPTED, open=True, uncovered=("its signature: it has none by the given key",))
        if check.name == "signature" and not check.result.accepted
        else check
        for check in checks
    )


def is_cut_short(path: Path) -> bool:
    """Whether a run ended before it could seal what it left: it says no more than that itself."""
    if any(is_there(path / name) for name in (SEAL, STATEMENT, ENVELOPE)):
        return False
    try:
        document = json_in(path, "verdict.json")
    except EvidenceDamaged:
        return False
    return document.get("verdict") == "INCOMPLETE" and document.get("evidence") == []


def _seal_of(path: Path) -> Seal | None:
    with suppress(EvidenceDamaged):  # the run's own check of its seal says why
        return seal.seal_in(json_in(path, SEAL))
    return None


def _history(scans: Path | None, seals: Iterable[Seal]) -> FolderCheck:
    ordered = sorted(seals, key=lambda each: each.sealed_at)
    known = {name for each in ordered for name in each.history}
    if scans is None:
        absent = (f"{len(known)} recorded scans that the run knew: {HISTORY} is not in this folder",) if known else ()
        return FolderCheck("history", ACCEPTED, "no recorded scan is in this folder", open=True, uncovered=absent)
    found = seal.history_in(scans)
    strange = tuple(f"{_place(name)}: no run here has sealed it" for name in found.hashes if name not in known)
    result = recorded(ordered, found.hashes, found.unread)
    return FolderCheck("history", result, f"{len(known)} recorded scans are as they were sealed", uncovered=strange)


def _place(name: str) -> str:
    return shown(f"{HISTORY}/{name}")


@check(8, known_bad=lambda: ([Seal(_AT, {}, {"1.json": "a"}, None)], {"1.json": "b"}, {}))
def recorded(seals: list[Seal], found: Mapping[str, str], unread: Mapping[str, str]) -> CheckResult:
    """Every recorded scan is as each run sealed it, and those that the last run knew are there.

    The seals are the oldest first; `found` are sha-256 sums, `unread` says why each other scan could not be read.
    """
    altered = {
        name: f"{_place(name)} was altered after a run sealed it"
        for each in seals
        for name, sha in each.history.items()
        if found.get(name, sha) != sha
    }
    missing = {
        name: f"{_place(name)} is missing: the last run sealed it"
        for each in seals[-1:]
        for name in each.history
        if name not in {**found, **unread}
    }
    causes = {**unread, **altered, **missing}
    return CheckResult.of(Rejection(cause, _place(name), _REMEDY) for name, cause in causes.items())


def _notes(root: Path, seals: Mapping[str, Seal]) -> FolderCheck:
    """The gate's sections of every document that a run here wrote in, or that lies beside the folder."""
    newest: dict[tuple[Path, str], tuple[Path, NotesSeal]] = {}
    for place, found in sorted(seals.items(), key=lambda item: item[1].sealed_at):
        if found.notes:
            # A dated copy is of a run whose own folder is the one above runs/.
            wrote = root if place.startswith("runs/") else root / place
            document = Path(os.path.normpath(wrote.absolute() / found.notes.file))
            newest[document, found.notes.section] = (root / place, found.notes)
    documents = dict.fromkeys(document for document, _ in newest)
    for beside in (root, root.parent):
        documents.setdefault(Path(os.path.normpath(beside.absolute() / seal.NOTES)))
    result = ACCEPTED
    uncovered: list[str] = []
    for document in documents:
        sealed = {key: value for (path, key), value in newest.items() if path == document}
        name = os.path.relpath(document, root.absolute())
        if is_there(document):
            said, rest = _document(document, name, sealed)
            result, uncovered = result + said, [*uncovered, *rest]
        elif sealed:
            uncovered.append(f"{name}: it is not there; the run's section of it is sealed")
    return FolderCheck("notes", result, f"{len(newest)} sections are as they were sealed", uncovered=tuple(uncovered))


def _document(path: Path, name: str, sealed: Mapping[str, tuple[Path, NotesSeal]]) -> tuple[CheckResult, list[str]]:
    text = content(path, name).decode("utf-8", "surrogateescape")
    result = ACCEPTED
    uncovered = [f"{name}: what stands outside the gate's sections"]
    keys = keys_in(text)
    uncovered += [f"{name}, section {key}: no run here has sealed it" for key in keys if key not in sealed]
    for key, (folder, notes) in sealed.items():
        body = section(text, key)
        if body is None:
            uncovered.append(f"{name}, section {key}: it is not there, and a run here wrote it")
            continue
        digest: Any = None
        with suppress(EvidenceDamaged, AttributeError):  # the check of the verdict says why
            digest = json_in(folder, "verdict.json").get("release", {}).get("digest")
        result += noted(notes.sha256, body, str(digest or ""), f"{name}, section {key}")
        if sha256_of_text(body) != notes.sha256:
            uncovered.append(f"{name}, section {key}: the later attempt that is noted below it")
    return result, uncovered


@check(8, known_bad=lambda: ("0" * 64, "| Digest | `sha256:b` |", "sha256:a", "VALIDATION.md"))
def noted(sha256: str, body: str, digest: str, where: str) -> CheckResult:
    """The section of the notes is the sealed one, but for a later attempt below it.

    `digest` is the one that verdict.json names, and `where` document and section.
    """
    said = metadata_in(body).get("Digest")
    if sha256 in {sha256_of_text(body), sha256_of_text(without_attempt(body))}:
        return ACCEPTED
    about = f" (it names {said}, and verdict.json {digest})" if said and said != digest else ""
    return reject(f"{where} was altered after the run wrote it{about}", where, _REMEDY)
