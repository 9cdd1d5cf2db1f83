"""A check's no that ends the work early: its own scenarios tell it, and the others that nothing is known of them."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from gate.causes import failure_of
from gate.check import BlockedByEarlierFailure, CheckResult, NoGo, Rejection, reject
from gate.image.base import Base
from gate.publish.build import _refuse_other_bases
from gate.report.view import headline, summary
from gate.run.model import Facts

CRITICAL = reject("CVE-1 is a finding of CRITICAL", "there", "upgrade it").rejections
ENDED = BlockedByEarlierFailure("the candidate was not promoted", CRITICAL, criterion=7, remedy="mend it")
TOLD = "the candidate was not promoted\n– CVE-1 is a finding of CRITICAL\n    to do: mend it"
BASE = Base("approved:1", ("approved:1",), "real")


def test_each_scenario_is_told_what_concerns_it():
    """AC7 said no; AC2 and AC9 were never looked at: neither of them is a check's no, and each knows what it is by."""
    own = failure_of(ENDED, 7)
    assert (own.checked, own.message, own.rejections, own.blocked_by) == (True, str(CRITICAL[0]), CRITICAL, ())
    for criterion in (0, 2, 9):
        told = failure_of(ENDED, criterion)
        assert (told.checked, told.message, told.blocked_by) == (False, TOLD, CRITICAL)
        assert told.rejections == (Rejection("the candidate was not promoted", "", "mend it"),)


def test_causes_are_told_once_and_five_of_them():
    """Whoever only waits learns what is wrong, and that there is more."""
    causes = [Rejection(f"fault {n // 2}\nof two lines", f"place {n}", "") for n in range(14)]
    said = BlockedByEarlierFailure("not done", causes).in_brief
    assert said.split("\n") == ["not done", *(f"– fault {n} of two lines" for n in range(5)), "– and 2 more"]


def test_nothing_is_built_on_a_base_that_nobody_approved(tmp_path):
    """The FROM line is the cause, before a program of that base has run."""
    (tmp_path / "Dockerfile").write_text("FROM approved:1 AS build\nFROM debian:bookworm-slim\n")
    with pytest.raises(BlockedByEarlierFailure) as refusal:
        _refuse_other_bases(tmp_path, BASE, "linux/amd64")
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
    _refuse_other_bases(tmp_path, BASE, "linux/amd64")


def run_of(word, **facts):
    """A run with this verdict."""
    release = SimpleNamespace(repository="repo", release_tag="v1", repository_uri="host/repo", candidate_tag="rc")
    options = SimpleNamespace(profile="")
    results = SimpleNamespace(verdict=SimpleNamespace(word=word, only_aws=()))
    return SimpleNamespace(release=release, facts=Facts(**facts), target="aws", results=results, options=options,
                           kind="full", not_part=(),
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


def test_a_secret_that_a_failure_quotes_is_in_none_of_its_parts():
    """Text and objects alike go to the page and to the disk."""
    secret = "s3cr3t-value"
    told = NoGo(CheckResult((Rejection(secret, secret, secret, secret),)))
    blocked = BlockedByEarlierFailure(secret, (Rejection(secret, secret, secret),))
    for error in (told, blocked, ValueError(secret)):
        failure = failure_of(error, redact=lambda text: text.replace(secret, "[redacted]"))
        assert secret not in repr(replace(failure, traceback=""))  # the store of the evidence redacts that
