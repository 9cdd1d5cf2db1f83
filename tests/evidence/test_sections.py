"""Generated sections: replaced in place, everything else kept to the letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import EvidenceDamaged
from gate.evidence.deployment_notes import begin, end, replace, section, with_attempt

PROSE = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=60)


@given(PROSE, PROSE, PROSE)
def test_a_section_reads_back_and_leaves_the_rest_alone(prose, first, second):
    """Writing twice keeps the prose and only the second body."""
    once = replace(prose, "v1.0.0:local", first)
    twice = replace(once, "v1.0.0:local", second)
    assert section(twice, "v1.0.0:local") == second.strip()
    assert twice.startswith(prose.rstrip("\n"))
    assert replace(twice, "v1.0.0:local", second) == twice


def test_sections_do_not_touch_each_other():
    """A rehearsal's section never changes that of AWS, and the newest section stands first."""
    document = replace(replace("# Validation\n", "v1.0.0:aws", "GO"), "v1.0.0:local", "REHEARSAL PASSED")
    assert section(document, "v1.0.0:aws") == "GO"
    assert document.index("REHEARSAL PASSED") < document.index("GO")
    assert document.startswith("# Validation\n")


def test_the_latest_attempt_stands_below_what_it_could_not_replace():
    """Of several failed attempts the last is told; the section itself stays to the letter."""
    body = "## A release\n\n| Digest | sha256:ab |"
    once = with_attempt(body, "first")
    twice = with_attempt(once, "second")
    assert once.startswith(body)
    assert twice.startswith(body)
    assert "second" in twice
    assert "first" not in twice


@pytest.mark.parametrize("document", [begin("k"), end("k"), begin("k") + end("k") + begin("k"), end("k") + begin("k")])
def test_broken_markers_are_an_error(document):
    """A half section is not guessed at."""
    with pytest.raises(EvidenceDamaged):
        replace(document, "k", "body")


def test_a_body_cannot_forge_a_marker():
    """Foreign text that reads as a marker is refused."""
    with pytest.raises(EvidenceDamaged):
        replace("", "k", end("k"))
