"""Where the time of a run went: real spans, on one line of the terminal and as bars of the page."""

import time
from types import SimpleNamespace

import pytest

from gate.cached_property import CachedProperty
from gate.report.figures import figures
from gate.report.timeline import Timeline


class Facts:
    """Facts of which two take their time, the second with the first in it, and one cannot be had."""

    @CachedProperty
    def records(self):
        """Takes a tenth of a second."""
        time.sleep(0.1)

    @CachedProperty
    def layers(self):
        """Takes two, and one of them is that of the records."""
        _ = self.records
        time.sleep(0.1)
        return "read"

    @CachedProperty
    def sbom(self):
        """Fails after that time."""
        time.sleep(0.1)
        raise OSError("no SBOM")


def made() -> tuple[Timeline, Facts]:
    """A timeline of a push, and of two facts that were gathered once."""
    timeline, facts = Timeline(), Facts()
    with pytest.raises(OSError, match="no SBOM"):
        _push(timeline, facts)
    return timeline, facts


def _push(timeline: Timeline, facts: Facts) -> None:
    with timeline.part("push"):
        time.sleep(0.1)
        assert facts.layers == facts.layers == "read"
        _ = facts.sbom


def test_parts_are_as_long_as_they_took_and_overlap():
    """Also of what failed; a fact that was asked for twice is one part."""
    timeline, facts = made()
    parts = {each.name: each for each in timeline.parts(facts)}
    assert list(parts) == ["start", "push", "searching layers", "SBOM"]
    assert 0.4 <= parts["push"].seconds < 10
    assert parts["push"].began + 0.2 <= parts["searching layers"].began
    assert 0.1 <= parts["searching layers"].seconds <= parts["push"].seconds - 0.3


def test_the_start_counts_from_the_process_to_the_collected_scenarios():
    """The interpreter and the imports are part of what a person waits for."""
    timeline = Timeline()
    before = timeline.parts(None)[0].seconds
    time.sleep(0.1)
    timeline.collected()
    assert timeline.parts(None)[0].seconds >= before + 0.1 > 0.1


def test_the_line_names_the_longest_parts_within_the_width():
    """Parts that do not fit are left out, whole."""
    timeline, facts = made()
    for number in range(9):
        with timeline.part(f"a long name of a part that hardly matters {number}"):
            time.sleep(0.06)
    line = timeline.line(facts)
    assert line.startswith("time: ")
    assert len(line) <= 120
    assert "push 0." in line
    assert line.count("hardly") < 9


def test_a_run_that_has_gathered_nothing_has_a_line_all_the_same():
    """Such as one that was refused at its beginning."""
    assert "start" in Timeline().line(None)


def test_the_page_draws_each_part_where_it_began(tmp_path):
    """A part that began later is further to the right."""
    timeline, facts = made()
    known = SimpleNamespace(candidate=None, matrix=None, scan_report=None)
    run = SimpleNamespace(facts=known, scans=tmp_path / "none", target="local", timeline=timeline)
    [drawn] = figures(run)
    known.candidate = facts
    [more] = figures(run)
    assert "Where the time of the run went" in drawn
    assert "SBOM" not in drawn
    assert "margin-left:0.0%" in more
    assert more.index("push") < more.index("searching layers") < more.index("SBOM")
