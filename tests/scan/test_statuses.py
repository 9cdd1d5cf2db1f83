"""Every scan status has one outcome in each mode."""

import pytest

from gate.scan.statuses import REASONS, TABLE, Mode, Outcome, markdown, meaning_of


@pytest.mark.parametrize(
    ("mode", "good"), [(Mode.BASIC, {"COMPLETE"}), (Mode.ENHANCED, {"COMPLETE", "ACTIVE"})], ids=["basic", "enhanced"]
)
def test_only_the_good_ends_have_a_result(mode: Mode, good: set[str]) -> None:
    """A result comes from COMPLETE, and under enhanced scanning from ACTIVE; from nothing else."""
    assert {m.status for m in TABLE if m.outcome(mode) is Outcome.RESULT} == good
    assert {m.status for m in TABLE if m.outcome(mode) is Outcome.WAIT} == {"IN_PROGRESS", "PENDING"}


@pytest.mark.parametrize("status", ["", "complete", "DONE", "COMPLETE "])
def test_an_unknown_status_is_no_result(status: str) -> None:
    """What the table does not hold is a NO-GO in both modes."""
    assert {meaning_of(status).outcome(mode) for mode in Mode} == {Outcome.NO_RESULT}


@pytest.mark.parametrize("reason", ["IMAGE_SIZE_EXCEEDED", "UNSUPPORTED_OS", "ACCESS_DENIED", "INTERNAL_ERROR"])
def test_a_reason_of_inspectors_for_a_status_is_told_in_its_words(reason: str) -> None:
    """No result, and not a word that nobody knows; one that passes is waited for."""
    meaning = meaning_of(reason)
    assert {meaning.outcome(mode) for mode in Mode} == {Outcome.NO_RESULT}
    assert (meaning.sentence, meaning.remedy) == (REASONS[reason].sentence, REASONS[reason].remedy)
    assert meaning_of("SCAN_IN_PROGRESS").outcome(Mode.ENHANCED) is Outcome.WAIT
    assert meaning_of("SUCCESSFUL").outcome(Mode.ENHANCED) is Outcome.NO_RESULT


@pytest.mark.parametrize("meaning", [m for m in TABLE if m.basic is Outcome.NO_RESULT], ids=lambda m: m.status)
def test_every_no_has_a_way_out(meaning) -> None:
    """A status without a result says what a person can do."""
    assert meaning.remedy


def test_the_table_of_the_docs_shows_every_status() -> None:
    """The rendered table has a row for each status and one for all others."""
    lines = markdown().splitlines()
    assert len(lines) == 2 + len(TABLE) + 1
    assert all(line.count("|") == 5 for line in lines)
