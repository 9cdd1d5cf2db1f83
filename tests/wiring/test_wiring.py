"""In a real run of `pytest features/` a fault in the world around it turns each claim red, and says why.

The catalogue (tests/faults) puts faults into recorded facts, so it proves the checks. Here the fixtures, the clients
and the reading between the outside world and each check are the run's own.
"""

from __future__ import annotations

import pytest

from tests.wiring.table import claims, rehearsals

TABLE = rehearsals()


def table(*, cheap, docker):
    """The rehearsals of a kind."""
    chosen = [each for each in TABLE if (each.cheap, each.docker) == (cheap, docker)]
    return [pytest.param(each, id=each.name) for each in chosen]


def test_every_claim_has_a_fault_that_turns_it_red_in_a_real_run():
    """No claim of features/ is without a row, and no row is about a claim that is not there."""
    assert {claim for each in TABLE for claim in each.red} == claims()


@pytest.mark.parametrize("rehearsal", table(cheap=True, docker=False))
def test_claims_on_files_go_red_in_a_real_run(rehearsal, rehearse):
    """Without the engine: what a run reads from its checkout."""
    checked(rehearse(rehearsal), rehearsal)


@pytest.mark.docker
@pytest.mark.parametrize("rehearsal", [*table(cheap=True, docker=True), *table(cheap=False, docker=True)])
def test_claims_go_red_in_a_real_run(rehearsal, rehearse):
    """On the local target; what takes long is left to `make faults`."""
    checked(rehearse(rehearsal), rehearsal)


def checked(ran, rehearsal):
    """Each claim that the table names failed, with words of the cause; no other did."""
    assert ran.red == set(rehearsal.red), ran.screen
    reasons = {claim: ran.outcomes[claim].reason for claim in rehearsal.red}
    missing = [(claim, words) for claim, said in rehearsal.red.items() for words in said if words not in reasons[claim]]
    assert not missing, "\n".join(reasons[claim] for claim, _ in missing)
    assert (ran.word, ran.exit_code) == ("REHEARSAL FAILED", 1), ran.screen
