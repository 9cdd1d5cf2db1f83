"""However a run is cut or ordered, a scenario's verdict and evidence are the same. On an image with real faults."""

from __future__ import annotations

import pytest

from tests.hard_use.runs import Gate, Results

pytestmark = pytest.mark.docker

# An image that is no Lambda at all: some scenarios of AC6 hold for it, most do not.
FAULTY = ("--image", "debian:bookworm-slim")
ONE = "The image starts as its base starts"
BUILT = "The image is built from the repository's Dockerfile"
BASE = "The approved base is the one that AWS publishes"
FROM = "Every FROM of the Dockerfile names an approved base"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Gate:
    """A gate whose last run checked AC5 and AC6 in their order."""
    gate = Gate(tmp_path_factory.mktemp("whole"))
    code, said = gate.run(*FAULTY, "-m", "ac5 or ac6")
    assert (code, set(gate.results().statuses.values())) == (1, {"passed", "failed", "not run"}), said
    return gate


@pytest.fixture(scope="module")
def known(whole) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What became of each scenario there, and what was recorded for it."""
    return whole.results().statuses, whole.results().titles


def test_a_dockerfile_that_made_nothing_here_is_not_checked(known):
    """The image was given: what the FROM lines beside it say is no word about it, neither yes nor no."""
    # Scenarios about the image are conditions of the push that one of AC6 needs, so that those of AC1 are there too.
    assert {scenario for scenario, status in known[0].items() if status == "not run"} == {FROM, BUILT, BASE}


def test_any_order_gives_the_same(known, gate):
    """Shuffled, each scenario has the verdict and the evidence that it has in order."""
    code, said = gate.run(*FAULTY, "-m", "ac5 or ac6", "-p", "tests.hard_use.shuffled", SHUFFLE_SEED="5")
    assert code == 1, said
    assert list(gate.results().statuses) != list(known[0])
    assert (gate.results().statuses, own(gate.results())) == (known[0], own_of(known[1]))


def test_one_scenario_alone_gives_the_same(known, gate):
    """`-k` runs one scenario, which fails as it did among the others; nothing is recorded for any other."""
    code, said = gate.run(*FAULTY, "-k", "starts_as_its_base")
    assert (code, gate.results().statuses) == (1, {ONE: known[0][ONE]}), said
    assert own(gate.results()) == {ONE: known[1][ONE]}


def test_the_last_failures_alone_give_the_same(known, whole):
    """`--lf` runs what failed, and it fails again."""
    failed = {scenario for scenario, status in known[0].items() if status == "failed"}
    code, said = whole.run(*FAULTY, "--lf")
    assert (code, whole.results().statuses) == (1, dict.fromkeys(failed, "failed")), said
    assert set(own(whole.results())) <= failed


def own(results: Results) -> dict[str, list[str]]:
    """What was recorded for each scenario."""
    return own_of(results.titles)


def own_of(titles: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without what was recorded for the run as a whole, which is due at whichever scenario comes first."""
    return {scenario: each for scenario, each in titles.items() if scenario}
