"""The support of base and Python: what is known, what has ended, what was accepted, and for how long."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.errors import WrongUse
from gate.image.dockerfile import From, from_lines
from gate.image.end_of_support import (
    KnownBase,
    Lifetime,
    ReleasePart,
    SupportDates,
    load,
    parts_of,
    shipped,
    support_exceptions_used,
    supported,
    warnings,
)
from gate.run.inputs import base_that_ships, register_or_empty
from gate.scan.exceptions.entries import Register, SupportException
from gate.scan.exceptions.reading import parse

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 27)
PYTHON = "public.ecr.aws/lambda/python"


def part(left: int, name: str = "Amazon Linux 2", seen: int = 0) -> ReleasePart:
    """A part whose support ends in so many days."""
    last = TODAY + timedelta(days=left)
    return ReleasePart(name, "the base", Lifetime(name, last, "https://example.org/", TODAY - timedelta(days=seen)))


def register(*entries: SupportException) -> Register:
    """A register with these acceptances."""
    return Register("image/exceptions.yaml", (), (), (), (), entries)


def accepted(what: str = "Amazon Linux 2", since: int = -1, until: int = 30) -> SupportException:
    """An acceptance, in days from today."""
    days = [TODAY + timedelta(days=each) for each in (since, until)]
    return SupportException(
        what=what,
        reason="why",
        check="what instead",
        owner="platform",
        reviewer="security",
        decided=days[0],
        expires=days[1],
        line=7,
    )


def said(parts, entries=None, source="support.yaml"):
    """What the check says."""
    return "\n".join(map(str, supported(parts, entries or register(), TODAY, source).rejections))


@pytest.mark.parametrize("left", [0, 1, 179, 180, 5000])
def test_supported_until_its_last_day(left):
    """The last day is a day of support."""
    assert supported((part(left),), register(), TODAY, "").accepted


@pytest.mark.parametrize("left", [-1, -150, -5000])
def test_out_of_support_is_refused_with_an_entry_that_can_be_pasted(left):
    """The day, the entry, and where it belongs; the entry is itself well-formed once it is completed."""
    text = said((part(left),))
    assert f"Amazon Linux 2 (of the base) has been out of support since {TODAY + timedelta(days=left)}" in text
    assert "under `support` in image/exceptions.yaml" in text
    pasted = text[text.index("- what") :]
    filled = pasted.replace("<the role that agreed>", "security").replace("<the role that answers for it>", "platform")
    for placeholder in ("<why the release may stand on it until then>",
                        "<what is done instead, how often, and by which role>"):  # fmt: skip
        filled = filled.replace(placeholder, "looked at each week")
    found = parse(
        f"version: 1\npolicy: {{CRITICAL: never, HIGH: never}}\nexceptions: []\ncoverage: []\nsupport:\n{filled}"
    )
    assert found.faults == ()
    assert supported((part(left),), found, TODAY, "").accepted


@pytest.mark.parametrize("entry", [accepted(until=-1), accepted(since=1, until=9)])
def test_acceptance_that_is_not_in_force_accepts_nothing(entry):
    """Expired, or not yet begun: its term is named."""
    assert f"runs from {entry.decided} to {entry.expires}" in said((part(-1),), register(entry))
    assert "image/exceptions.yaml:7" in said((part(-1),), register(entry))


@pytest.mark.parametrize(("since", "until"), [(0, 1), (-30, 0), (0, 90)])
def test_acceptance_in_force_accepts_its_own_subject_alone(since, until):
    """Also on its first and last day, and no other subject."""
    entry = register(accepted(since=since, until=until))
    assert supported((part(-1),), entry, TODAY, "").accepted
    assert "CPython 3.8 (of the base)" in said((part(-1), part(-1, "CPython 3.8")), entry)


@pytest.mark.parametrize(
    "unknown", [ReleasePart("debian:bookworm", "debian:bookworm", None), ReleasePart("CPython 4.0", "Python 4.0", None)]
)
def test_what_nobody_knows_is_refused_with_the_way_to_add_it(unknown):
    """An acceptance of something unknown does not help."""
    text = said((unknown,), register(accepted(unknown.name)), "gate/image/end_of_support.yaml")
    assert f"The end of support of {unknown.name}" in text
    assert "where: gate/image/end_of_support.yaml" in text
    assert "under `lifetimes`" in text
    assert "with its tag before any digest" in text


@pytest.mark.parametrize(("parts", "why"), [
    ((part(0),), "it is supported"),
        ((part(500),), "it is supported"),
    ((part(-1, "CPython 3.8"),), "it is no part of the release"),
    ((ReleasePart("x", "x", None),), "it is no part of the release"),
])  # fmt: skip
def test_acceptance_that_is_not_needed_is_refused(parts, why):
    """It would hide the next end of support."""
    (rejection,) = support_exceptions_used(parts, register(accepted()), TODAY).rejections
    assert rejection.cause == f"The entry for Amazon Linux 2 is not used: {why}"
    assert rejection.where == "image/exceptions.yaml:7"


def test_acceptance_that_is_needed_is_used():
    """Even if it has expired, which another check rejects."""
    assert support_exceptions_used((part(-1),), register(accepted(until=-1)), TODAY).accepted


@pytest.mark.parametrize(("left", "words"), [
    (181, ()), (180, ("180 more days",)), (179, ("179 more days",)), (0, ("0 more days",)),
])  # fmt: skip
def test_an_end_is_warned_of_half_a_year_ahead(left, words):
    """And not earlier."""
    found = warnings((part(left),), register(), TODAY)
    assert len(found) == len(words)
    assert all(each in found[0] for each in words)


def test_an_accepted_end_and_old_knowledge_are_warned_of():
    """An accepted end is a warning; one that is not accepted is a rejection."""
    (warning,) = warnings((part(-1),), register(accepted()), TODAY)
    assert warning == "Amazon Linux 2 has been out of support since 2026-11-26; accepted until 2026-12-27"
    assert warnings((part(-1), ReleasePart("x", "x", None)), register(), TODAY) == ()
    (warning,) = warnings((part(500, seen=366),), register(), TODAY)
    assert "last looked up on 2025-11-26: https://example.org/" in warning
    assert warnings((part(500, seen=365),), register(), TODAY) == ()


@pytest.mark.parametrize(("reference", "parts"), [
    (f"{PYTHON}:3.11", ["Amazon Linux 2", "Lambda runtime python3.11"]),
    (f"{PYTHON}:3.11.2026.11.01.2", ["Amazon Linux 2", "Lambda runtime python3.11"]),
    (f"{PYTHON}:3.11-x86_64", ["Amazon Linux 2", "Lambda runtime python3.11"]),
    (f"{PYTHON}:3.11.2026.11.01.2-arm64", ["Amazon Linux 2", "Lambda runtime python3.11"]),
    (f"{PYTHON}:3.12@sha256:{'a' * 64}", ["Amazon Linux 2023", "Lambda runtime python3.12"]),
    (f"{PYTHON}:3.13", ["Amazon Linux 2023", "Lambda runtime python3.13"]),
    ("public.ecr.aws/lambda/provided:al2", ["Amazon Linux 2", "Lambda runtime provided.al2"]),
    ("public.ecr.aws/lambda/provided:al2023.2026.11.01.2", ["Amazon Linux 2023", "Lambda runtime provided.al2023"]),
    ("public.ecr.aws/lambda/nodejs:22", ["Amazon Linux 2023", "Lambda runtime nodejs22.x"]),
    ("public.ecr.aws/lambda/java:8.al2", ["Amazon Linux 2", "Lambda runtime java8.al2"]),
])  # fmt: skip
def test_known_base_in_each_of_its_spellings(reference, parts):
    """A build, an architecture or a digest does not make it another base."""
    found = parts_of(reference, "3.11", load())
    assert [each.name for each in found] == [*parts, "CPython 3.11"]
    assert all(each.lifetime for each in found)


@pytest.mark.parametrize("reference", [
    PYTHON, f"{PYTHON}:latest", f"{PYTHON}:3", f"{PYTHON}:3.1", f"{PYTHON}:3.111", f"{PYTHON}@sha256:{'a' * 64}",
    f"{PYTHON}:3.11-al2023", f"{PYTHON}:3.11-preview", f"evil.example.org/{PYTHON}:3.11", "python:3.11", "scratch", "",
    "public.ecr.aws/lambda/pythonX:3.11", "public-ecr-aws/lambda/python:3.11", f"{PYTHON}:3x11",
])  # fmt: skip
def test_other_base_is_unknown(reference):
    """A name that resembles a known base may be any image."""
    assert parts_of(reference, "3.11", load())[0] == ReleasePart(reference, reference, None)


def test_python_that_nobody_knows():
    """Of a known base."""
    assert parts_of(f"{PYTHON}:3.11", "3.99", load())[-1] == ReleasePart("CPython 3.99", "Python 3.99", None)


def test_every_base_of_the_data_stands_on_known_lifetimes_with_sources():
    """No name is misspelt, none is given twice, and each says where it was looked up."""
    known = load()
    names = [each.name for each in known.lifetimes]
    assert len(set(names)) == len(names)
    assert {part for base in known.bases for part in base.parts} <= set(names)
    assert len({(base.image, base.tag) for base in known.bases}) == len(known.bases)
    assert all(each.source.startswith("https://") for each in known.lifetimes)
    assert known.lifetime("Amazon Linux 2").until == date(2026, 6, 30)


def test_base_without_a_lifetime_of_its_part_is_not_supported():
    """The file names the part without a date."""
    known = SupportDates("x", (), (KnownBase(PYTHON, "3.11", ("Amazon Linux 9",)),))
    assert "The end of support of Amazon Linux 9 (of" in said(parts_of(f"{PYTHON}:3.11", "3.11", known))


@pytest.mark.parametrize("text", [
    "", "[]", "lifetimes: []", "bases: []", "lifetimes: 1\nbases: []", "lifetimes: [a]\nbases: []", "lifetimes: [\n",
    "lifetimes: [{name: a, until: soon, source: b, looked_up: 2026-01-01}]\nbases: []",
    "lifetimes: [{name: a, until: 2026-01-01, source: b}]\nbases: []",
    "lifetimes: []\nbases: [{image: a, tag: b, parts: []}]",
    "lifetimes: []\nbases: [{image: a, tag: b, parts: c}]",
    "lifetimes: []\nbases: [{image: a, tag: b, parts: [c], note: d}]",
    "lifetimes: []\nlifetimes: []\nbases: []",
])  # fmt: skip
def test_data_of_another_form_is_refused(tmp_path, text):
    """With the file's name and without a traceback."""
    path = tmp_path / "support.yaml"
    path.write_text(text)
    with pytest.raises(WrongUse, match="dates of support cannot be read"):
        load(path)


def test_each_fault_of_the_data_is_told_with_its_line(tmp_path):
    """All of them, not only the first."""
    path = tmp_path / "support.yaml"
    path.write_text("lifetimes: []\nlifetimes: []\nbases: []\nbases: []\n")
    with pytest.raises(WrongUse, match=r"line 2: the key 'lifetimes' is given twice; line 4: the key 'bases'"):
        load(path)


def test_missing_data_is_refused(tmp_path):
    """A missing file is an error."""
    with pytest.raises(WrongUse):
        load(tmp_path / "support.yaml")


@pytest.mark.parametrize(("froms", "base"), [
    ([From(1, "a:1", "")], "a:1"),
    ([From(1, "a:1", "build"), From(2, "b:2", "final")], "b:2"),
    ([From(1, "a:1", "build"), From(2, "b:2", "")], "b:2"),
    ([From(1, "a:1", "Base"), From(2, "base", "more"), From(3, "more", "")], "a:1"),
    ([From(1, "a:1", "build"), From(2, "b:2", ""), From(3, "c:3", "", "COPY")], "b:2"),
    ([From(1, "a:1", "x"), From(2, "b:2", "y"), From(3, "x", "")], "a:1"),
])  # fmt: skip
def test_what_ships_is_the_last_stage_and_what_it_stands_on(froms, base):
    """Other stages do not ship, and copied files do not make a base."""
    assert shipped(froms) == base


def candidate(tmp_path, text, reference="stand-in"):
    """A candidate on the stand-in, with this Dockerfile."""
    (tmp_path / "Dockerfile").write_text(text)
    release = SimpleNamespace(approved_bases=(f"{PYTHON}:3.11",))
    return SimpleNamespace(base_reference=reference, release=release, dockerfile=tmp_path / "Dockerfile")


@pytest.mark.parametrize(("text", "base", "how"), [
    (f"ARG B={PYTHON}:3.12\nFROM ${{B}} AS a\nFROM ${{B}}\n", f"{PYTHON}:3.12", "own default"),
    (f"FROM {PYTHON}:3.13\n", f"{PYTHON}:3.13", "own default"),
    ("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n", f"{PYTHON}:3.11", "the first of approved_bases"),
])  # fmt: skip
def test_on_the_stand_in_it_is_the_dockerfiles_own_default_base(tmp_path, text, base, how):
    """And the evidence says so."""
    found, told = base_that_ships(candidate(tmp_path, text))
    assert found == base
    assert how in told
    assert "stand-in" in told


def test_on_an_approved_base_it_is_that_base(tmp_path):
    """The Dockerfile's default does not matter."""
    found, told = base_that_ships(candidate(tmp_path, "FROM other:1\n", f"{PYTHON}:3.11"))
    assert (found, "layers" in told) == (f"{PYTHON}:3.11", True)


def test_this_release_ships_its_one_acceptance():
    """The support of its base's system has ended, which is accepted for at most 90 days."""
    base = shipped(from_lines(ROOT / "image" / "Dockerfile", {}))
    parts, own = parts_of(base, "3.11", load()), parse((ROOT / "image" / "exceptions.yaml").read_text())
    assert [each.what for each in own.support] == ["Amazon Linux 2"]
    assert supported(parts, own, TODAY, "").accepted
    assert support_exceptions_used(parts, own, TODAY).accepted
    assert "out of support since 2026-06-30" in said(parts)


def test_without_a_register_nothing_is_accepted(tmp_path):
    """A release on a supported base needs no register; otherwise the run's register is used."""
    run = SimpleNamespace(options=SimpleNamespace(image_context=tmp_path), facts=SimpleNamespace())
    empty = register_or_empty(run)
    assert (empty.support, empty.faults) == ((), ())
    assert "out of support" in said((part(-1),), empty)
    (tmp_path / "exceptions.yaml").write_bytes((ROOT / "image" / "exceptions.yaml").read_bytes())
    assert [each.what for each in register_or_empty(run).support] == ["Amazon Linux 2"]
