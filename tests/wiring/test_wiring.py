"""In a real run of `pytest features/` a fault in the world around it turns each scenario red, and says why.

The catalogue (tests/faults) puts faults into recorded facts, so it proves the checks. Here the fixtures, the clients
and the reading between the outside world and each check are the run's own.
"""

from __future__ import annotations

import pytest

from tests.wiring.table import rehearsals, scenarios

TABLE = rehearsals()


def table(*, cheap, docker):
    """The rehearsals of a kind."""
    chosen = [each for each in TABLE if (each.cheap, each.docker) == (cheap, docker)]
    return [pytest.param(each, id=each.name) for each in chosen]


def test_every_scenario_has_a_fault_that_turns_it_red_in_a_real_run():
    """No scenario of features/ is without a row, and no row is about a scenario that is not there."""
    assert {scenario for each in TABLE for scenario in each.red} == scenarios()


@pytest.mark.parametrize("rehearsal", table(cheap=True, docker=False))
def test_scenarios_on_files_go_red_in_a_real_run(rehearsal, rehearse):
    """Without the engine: what a run reads from its checkout."""
    checked(rehearse(rehearsal), rehearsal)


@pytest.mark.docker
@pytest.mark.parametrize("rehearsal", [*table(cheap=True, docker=True), *table(cheap=False, docker=True)])
def test_scenarios_go_red_in_a_real_run(rehearsal, rehearse):
    """On the local target; what takes long is left to `make faults`."""
    checked(rehearse(rehearsal), rehearsal)


def checked(ran, rehearsal):
    """Each scenario that the table names failed, with words of the cause; no other did."""
    assert ran.red == set(rehearsal.red), ran.screen
    reasons = {scenario: ran.outcomes[scenario].reason for scenario in rehearsal.red}
    missing = [
        (scenario, words)
        for scenario, said in rehearsal.red.items()
        for words in said
        if words not in reasons[scenario]
    ]
    assert not missing, "\n".join(reasons[scenario] for scenario, _ in missing)
    assert (ran.word, ran.exit_code) == ("REHEARSAL FAILED", 1), ran.screen
