"""The deployment notes: rendered from the evidence, read back, and held against it."""

from dataclasses import replace

import pytest

from gate.evidence.deployment_notes import (
    ReleaseStep,
    commands,
    holds_no_secret,
    link,
    links_hold,
    links_in,
    metadata_in,
    one_digest,
    render,
    says_what_ecr_says,
    steps_recorded,
    table,
    tells,
)

SHA, OTHER = "a" * 64, "b" * 64
STEP = ReleaseStep("docker push app:v1", "arn:aws:iam::1:role/ci", "2026-01-02 03:04", 12.34, "pushed")
STEPS = (STEP, replace(STEP, command="docker build"))
METADATA = {"Digest": f"sha256:{SHA}", "Image size": "1.2 GB", "Pushed": ""}
LINKS = f"- {link('evidence/001-scan.json', SHA)}\n- {link('runs/1/report.html', OTHER)}"
CHAPTERS = {"Commands": commands(STEPS), "Findings": "| x | y |\n", "Evidence": LINKS}


def said(result):
    """What a judgement objects to, a line each."""
    return "\n".join(each.cause for each in result.rejections)


def test_what_the_notes_say_reads_back():
    """The metadata table and every linked file with its hash; no other table is taken for metadata."""
    section = render("v1.0.0 | GO", ("The verdict is GO.",), METADATA, CHAPTERS)
    assert section.startswith("## v1.0.0")
    assert metadata_in(section) == {"Digest": f"sha256:{SHA}", "Image size": "1.2 GB", "Pushed": "unknown"}
    assert links_in(section) == {"evidence/001-scan.json": SHA, "runs/1/report.html": OTHER}
    assert metadata_in("# x\n\n### Criteria\n\n| AC | Status |\n| passed | `yes` |") == {}


def test_the_notes_show_the_steps_and_the_chapters_in_their_order():
    """Each step has its number, who ran it, when, and how long it took."""
    section = render("v1.0.0", (), METADATA, CHAPTERS)
    assert "| 1 | `docker push app:v1` | `arn:aws:iam::1:role/ci` | 2026-01-02 03:04 | 12.3 | pushed |" in section
    assert "| 2 | `docker build` |" in section
    assert "- [001-scan.json](evidence/001-scan.json) `sha256:" in section
    assert "### Findings\n\n| x | y |\n\n### Evidence" in section


def test_what_was_not_recorded_is_said():
    """An empty table is a sentence, never a table without rows."""
    assert table(("a", "b"), []) == "None was recorded."
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_foreign_text_does_not_leave_its_cell():
    """Bars, backquotes and line ends in a command or in the metadata make no other row."""
    hostile = "a | b ` c\nDigest"
    section = render("v1", (), {"Digest": hostile}, {"Commands": commands([replace(STEP, command=hostile)])})
    assert metadata_in(section) == {"Digest": "a ¦ b ' c Digest"}
    assert "| 1 | `a ¦ b ' c Digest` | `arn" in section


def test_each_fact_is_the_one_that_ecr_answers():
    """Another value and a missing one are named with both; what ECR does not answer is not asked about."""
    answered = {"Digest": "sha256:a", "Size": "1"}
    assert says_what_ecr_says({**answered, "More": "x"}, answered, "VALIDATION.md").accepted
    found = says_what_ecr_says({"Digest": "sha256:b"}, answered, "VALIDATION.md")
    assert [each.cause for each in found.rejections] == [
        "VALIDATION.md says Digest is 'sha256:b', and ECR answers 'sha256:a'",
        "VALIDATION.md says Size is 'nothing', and ECR answers '1'",
    ]
    assert "answered no fact" in said(says_what_ecr_says({"Digest": "sha256:a"}, {}, "VALIDATION.md"))


def test_recorded_steps_are_accepted():
    """Every kind that is wanted is there, whole."""
    assert steps_recorded(STEPS, ("docker build", "docker push")).accepted


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"command": ""}, ["no step with `docker push` was recorded", "the record of `` lacks its command"]),
        ({"identity": ""}, ["the record of `docker push app:v1` lacks its identity"]),
        ({"at": ""}, ["the record of `docker push app:v1` lacks its time"]),
        ({"outcome": ""}, ["`docker push app:v1` was begun, and no outcome was recorded"]),
        ({"outcome": "running"}, ["`docker push app:v1` was begun, and no outcome was recorded"]),
    ],
)
def test_a_step_without_one_of_its_facts_is_refused(changed, words):
    """What was run, by whom, when, and what came of it."""
    assert said(steps_recorded([replace(STEP, **changed)], ("docker push",))).splitlines() == words


def test_a_step_that_was_not_recorded_is_named():
    """Others do not stand for it."""
    assert said(steps_recorded(STEPS, ("docker push", "docker login"))) == "no step with `docker login` was recorded"


def test_each_link_leads_to_the_file_that_was_linked():
    """Altered and missing files are told apart; another file beside them harms nothing; no link proves nothing."""
    links = {"evidence/1.json": SHA, "evidence/2.json": SHA}
    assert links_hold(links, {**links, "evidence/3.json": OTHER}).accepted
    assert said(links_hold(links, {"evidence/1.json": OTHER})).splitlines() == [
        "evidence/1.json was altered since it was linked",
        "evidence/2.json does not exist",
    ]
    assert "links to no evidence" in said(links_hold({}, links))


def test_a_secret_in_an_artefact_is_named_by_file_and_kind():
    """A file that was searched and holds none is fine; no file at all was not searched."""
    assert holds_no_secret({"report.html": (), "junit.xml": ()}).accepted
    found = said(holds_no_secret({"report.html": ("the registry password", "a key"), "junit.xml": ()}))
    assert found == "report.html holds the registry password, a key"
    assert "no artefact was searched" in said(holds_no_secret({}))


def test_the_notes_tell_a_sentence_or_do_not():
    """No sentence is not told by every text."""
    assert tells("## v1\n\nThis is the first release.", "This is the first release.").accepted
    assert "do not say 'It is the second.'" in said(tells("This is the first release.", "It is the second."))
    assert not tells("This is the first release.", "").accepted


def test_notes_and_records_name_one_digest():
    """A record about another image, notes about none, and no record at all are refused."""
    records = {"001-scan.json": "sha256:a", "002-push.json": "sha256:a"}
    assert one_digest("sha256:a", records, "sha256:a").accepted
    found = said(one_digest("", {**records, "002-push.json": "sha256:b"}, "sha256:a"))
    assert found.splitlines() == [
        "VALIDATION.md is about no digest, and sha256:a was published",
        "002-push.json is about sha256:b, and sha256:a was published",
    ]
    assert "no record" in said(one_digest("sha256:a", {}, "sha256:a"))
