"""A consequence is not told beside its cause: what ended early is the one reason that everybody reads."""

from types import SimpleNamespace

import pytest

from gate.check import NoGo, reject
from gate.errors import EvidenceDamaged, ImageUnavailable
from gate.legacy.snapshot import FunctionSnapshot
from gate.publish.publishing_run import BASELINE
from gate.publish.release_facts import zip_baseline

SNAPSHOT = FunctionSnapshot("zip", "2026-01-02T03:04:05+00:00", {"Runtime": "python3.7"})


def no(cause):
    """A check's."""
    return NoGo(reject(cause, "", ""))


class Ended:
    """The pipeline of a run that publishes, which ended before anything was pushed."""

    def __init__(self, folder, error=None):
        self.run, self.error = SimpleNamespace(publishes=True, store=SimpleNamespace(folder=folder)), error

    @property
    def registry_image(self):
        """What stood against the push."""
        if self.error:
            raise self.error


@pytest.mark.parametrize("cause", [ImageUnavailable("the build failed"), no("the image is not admitted")])
def test_without_a_baseline_the_cause_is_what_ended_before_it(tmp_path, cause):
    """No baseline was taken because nothing was built: the build is what somebody has to mend."""
    with pytest.raises(type(cause), match=str(cause)):
        zip_baseline(Ended(tmp_path, cause))


def test_a_refused_release_took_its_baseline_first(tmp_path):
    """What became of the release is no word about the zip function."""
    SNAPSHOT.keep(tmp_path / BASELINE)
    assert zip_baseline(Ended(tmp_path, no("the scan found something"))) == SNAPSHOT


def test_a_damaged_baseline_is_its_own_cause(tmp_path):
    """Whatever else ended badly."""
    (tmp_path / BASELINE).write_text("{}")
    with pytest.raises(EvidenceDamaged, match="cannot be read"):
        zip_baseline(Ended(tmp_path, no("the scan found something")))


def test_a_published_release_without_a_baseline_is_damaged(tmp_path):
    """There is nothing else to blame."""
    with pytest.raises(EvidenceDamaged, match="no baseline"):
        zip_baseline(Ended(tmp_path))
