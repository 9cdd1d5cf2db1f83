"""A check's no that ends the work early: its own claims tell it, and the others that nothing is known of them."""

from types import SimpleNamespace

import pytest

from gate.blocked import BlockedByEarlierFailure, briefly
from gate.check import ACCEPTED, reject
from gate.image.base import Base
from gate.report.view import headline, summary
from gate.run.fixtures.image import _hold_bases
from gate.run.model import Facts
from gate.run.outcome import failure_of

CRITICAL = reject("CVE-1 is a finding of CRITICAL", "there", "upgrade it")
ENDED = BlockedByEarlierFailure(
    {7: CRITICAL, 9: ACCEPTED}, "the candidate was not promoted: its scan fails AC7", remedy="mend it"
)
TOLD = "the candidate was not promoted: its scan fails AC7\n– CVE-1 is a finding of CRITICAL\n    to do: mend it"
BASE = Base("approved:1", ("approved:1",), "real")


def test_each_claim_is_told_what_concerns_it():
    """AC7 said no; AC9 has nothing to say, and AC2 was never looked at: neither of them is a check's no."""
    assert (failure_of(ENDED, 7).checked, failure_of(ENDED, 7).message) == (True, str(CRITICAL.rejections[0]))
    for criterion in (2, 9):
        told = failure_of(ENDED, criterion)
        assert (told.checked, told.message) == (False, TOLD)


def test_all_that_was_said_is_in_it():
    """Whoever knows no criterion (the diary, a log) reads every cause."""
    both = BlockedByEarlierFailure({7: CRITICAL, 9: reject("no register", "", "fill it")}, "x", remedy="y")
    assert [each.cause for each in both.result.rejections] == [
        "CVE-1 is a finding of CRITICAL",
        "no register",
    ]


def test_causes_are_told_once_and_five_of_them():
    """Whoever only waits learns what is wrong, and that there is more."""
    said = briefly("not done", (f"fault {n // 2}\nof two lines" for n in range(14)))
    assert said.split("\n") == ["not done", *(f"– fault {n} of two lines" for n in range(5)), "– and 2 more"]


def test_nothing_is_built_on_a_base_that_nobody_approved(tmp_path):
    """The FROM line is the cause, before a program of that base has run."""
    (tmp_path / "Dockerfile").write_text("FROM approved:1 AS build\nFROM debian:bookworm-slim\n")
    with pytest.raises(BlockedByEarlierFailure) as refusal:
        _hold_bases(tmp_path, BASE, "linux/amd64")
    own, other = failure_of(refusal.value, 6), failure_of(refusal.value, 1)
    assert own.checked
    assert "debian:bookworm-slim" in own.message
    assert not other.checked
    assert other.message.startswith("nothing was built")
    assert "debian:bookworm-slim" in other.message


@pytest.mark.parametrize("text", ["ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n", "FORM approved:1\n"])
def test_an_approved_base_and_no_base_at_all_go_to_the_builder(tmp_path, text):
    """Of a Dockerfile without FROM the builder says what is wrong."""
    (tmp_path / "Dockerfile").write_text(text)
    _hold_bases(tmp_path, BASE, "linux/amd64")


def run_of(word, **facts):
    """A run with this verdict."""
    release = SimpleNamespace(repository="repo", release_tag="v1", repository_uri="host/repo", candidate_tag="rc")
    options = SimpleNamespace(profile="")
    results = SimpleNamespace(verdict=SimpleNamespace(word=word, only_aws=()))
    return SimpleNamespace(release=release, facts=Facts(**facts), place="aws", results=results, options=options,
                           kind="full",
                           started="2026-01-02T03:04:05+00:00")  # fmt: skip


@pytest.mark.parametrize(("word", "said"), [("NO-GO", "; v1 and latest name it all the same"), ("INCOMPLETE", "")])
def test_a_refused_release_that_is_out_says_so(word, said):
    """What failed after the promotion does not take the tags back: whoever is on call must know."""
    told = headline(run_of(word, tags=("rc", "v1", "latest"), digest="sha256:" + "a" * 64))
    assert told == f"repo v1 (sha256:{'a' * 12}…) on AWS{said}"


def test_a_withdrawn_candidate_is_on_the_page():
    """It is in the registry, and carries none of the release's tags."""
    facts = dict(summary(run_of("NO-GO", unpromoted="sha256:c")))
    assert (facts["Tags"], facts["Digest"]) == ("the candidate sha256:c was not promoted",) * 2
