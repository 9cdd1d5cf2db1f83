"""The pipeline of a release: each step is made once, in its order, and none is gone past a condition that fails."""

from types import SimpleNamespace

import pytest

from gate.cached_property import made_once
from gate.check import BlockedByEarlierFailure
from gate.errors import AwsRefused
from gate.publish import pipeline as module
from gate.publish.pipeline import Pipeline
from gate.report.timeline import Timeline
from gate.run.connections import Connections

DIGEST = "sha256:" + "a" * 64


class Things:
    """Two properties, one of which fails."""

    made = 0

    @made_once
    def good(self):
        """Counts how often it is made."""
        self.made += 1
        return self.made

    @made_once
    def bad(self):
        """Counts, and fails."""
        self.made += 1
        raise AwsRefused(f"refused for the {self.made}. time")


def test_what_is_asked_for_twice_is_made_once():
    """Whoever asks."""
    things = Things()
    assert (things.good, things.good, things.made) == (1, 1, 1)


def test_a_failure_is_raised_again_and_not_tried_again():
    """A push that was refused is not pushed again by the next scenario."""
    things = Things()
    for _ in range(2):
        with pytest.raises(AwsRefused, match=r"for the 1\. time"):
            _ = things.bad
    assert things.made == 1


@pytest.fixture
def release(monkeypatch, tmp_path):
    """A pipeline that notes what is done, and of which each condition can be made to fail."""
    done, refuse = [], set()
    step = lambda name, answer=None: lambda *_: done.append(name) or answer  # noqa: E731

    def condition(name):
        def check(*_):
            done.append(name)
            if name in refuse:
                raise BlockedByEarlierFailure(f"{name} fails", (), remedy="mend it")

        return check

    image = SimpleNamespace(reference="i", image_id="i", platform="linux/amd64", size_bytes=1)
    pushed = SimpleNamespace(digest=DIGEST, before=None, tags=(), compressed_bytes=1)
    facts = SimpleNamespace(publication=None, digest="", tags=(), size_bytes=0, unpromoted="", promotion=None)
    facts.scan_report = None
    run = SimpleNamespace(
        publishes=True, promotes=False, kind="full", timeline=Timeline(),
        facts=facts, store=SimpleNamespace(folder=tmp_path, digest=""), errors=[],
        endpoint_recorder=SimpleNamespace(endpoints=()), release=SimpleNamespace(release_tag="v1", rolling_tag="latest",
        candidate_tag="candidate"),
    )  # fmt: skip
    pipeline = Pipeline(Connections(run))
    pipeline.candidate, pipeline.earlier_promotions = SimpleNamespace(image=image), ()
    pipeline.publisher = SimpleNamespace(
        prepare=step("prepare"), push=step("push", pushed), promote=step("promote", pushed),
        log=SimpleNamespace(steps=()),
    )  # fmt: skip
    monkeypatch.setattr(module.preconditions, "refuse_push", condition("before the push"))
    monkeypatch.setattr(module.preconditions, "refuse_promotion", condition("before the promotion"))
    monkeypatch.setattr(module.promotion_record, "begin", step("record"))
    monkeypatch.setattr(module, "note_publication", step("note"))
    monkeypatch.setattr(Pipeline, "_check_unchanged", step("look again"))
    return SimpleNamespace(pipeline=pipeline, done=done, refuse=refuse)


def test_the_steps_come_in_their_order(release):
    """Baseline, conditions, push; conditions, record, tags; and at the end a last look."""
    assert release.pipeline.published.digest == DIGEST
    release.pipeline.close()
    assert release.done == ["prepare", "before the push", "push", "before the promotion", "record", "promote", "note",
                            "look again"]  # fmt: skip


@pytest.mark.parametrize(("condition", "last"), [("before the push", "prepare"), ("before the promotion", "push")])
def test_a_condition_that_fails_is_gone_past_by_nobody(release, condition, last):
    """Neither the first scenario that asks nor the next; nothing is pushed, or no tag is given."""
    release.refuse.add(condition)
    for _ in range(2):
        with pytest.raises(BlockedByEarlierFailure, match=condition):
            _ = release.pipeline.published
    release.pipeline.close()
    assert release.done[-2:] == [last, condition]


@pytest.mark.parametrize(("selected", "gathered"), [(1, []), (module.FEW_SCENARIOS, []), (82, [False])])
def test_facts_are_gathered_ahead_where_more_than_a_few_scenarios_need_them(release, monkeypatch, selected, gathered):
    """One scenario alone reads what it is about, and waits for nothing else."""
    asked, run = [], release.pipeline.run
    run.selected, run.kind, run.root, run.options = selected, "partial", run.store.folder, SimpleNamespace(image="i")
    run.options.image_context, run.timeline = None, Timeline()
    candidate = SimpleNamespace(prefetch=lambda *, whole: asked.append(whole), close=lambda: None)
    candidate.image = SimpleNamespace(image_id="i", size_bytes=1)
    monkeypatch.setattr(module, "Candidate", lambda *_: candidate)
    monkeypatch.setattr(module.build, "base_of", lambda *_: None)
    monkeypatch.setattr(module.build, "image_to_publish", lambda *_: (None, "i"))
    release.pipeline.connections.engine = None
    del release.pipeline.candidate
    assert release.pipeline.candidate is candidate
    assert asked == gathered
