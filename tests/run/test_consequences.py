"""A consequence is not told beside its cause: what ended early is the one reason that everybody reads."""

from types import SimpleNamespace

import pytest

from gate.check import NoGo, reject
from gate.errors import EvidenceDamaged, ImageUnavailable
from gate.legacy import baseline
from gate.legacy.snapshot import FunctionSnapshot
from gate.run.fixtures import BASELINE, baseline_before

SNAPSHOT = FunctionSnapshot("zip", "2026-01-02T03:04:05+00:00", {"Runtime": "python3.7"})


def no(cause):
    """A check's."""
    return NoGo(reject(cause, "", ""))


@pytest.fixture
def run(tmp_path):
    """A run that publishes."""
    return SimpleNamespace(publishes=True, store=SimpleNamespace(folder=tmp_path))


def refusing(error):
    """Fixtures on which publishing ended so."""

    def fixtures(_name):
        raise error

    return fixtures


@pytest.mark.parametrize("cause", [ImageUnavailable("the build failed"), no("the image is not admitted")])
def test_without_a_baseline_the_cause_is_what_ended_before_it(run, cause):
    """No baseline was taken because nothing was built: the build is what somebody has to mend."""
    with pytest.raises(type(cause), match=str(cause)):
        baseline_before(run, refusing(cause))


def test_a_refused_release_took_its_baseline_first(run, tmp_path):
    """What became of the release is no word about the zip function."""
    baseline.keep(tmp_path / BASELINE, SNAPSHOT)
    assert baseline_before(run, refusing(no("the scan found something"))) == SNAPSHOT


def test_a_damaged_baseline_is_its_own_cause(run, tmp_path):
    """Whatever else ended badly."""
    (tmp_path / BASELINE).write_text("{}")
    with pytest.raises(EvidenceDamaged, match="cannot be read"):
        baseline_before(run, refusing(no("the scan found something")))


def test_a_published_release_without_a_baseline_is_damaged(run):
    """There is nothing else to blame."""
    with pytest.raises(EvidenceDamaged, match="no baseline"):
        baseline_before(run, lambda _name: None)
