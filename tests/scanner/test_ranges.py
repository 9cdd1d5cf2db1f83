"""Whether a version is affected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.scanner.advisory import AffectedPackage, UncomparableVersion, event_of, ordered


def affected(ecosystem: str, *events: tuple[str, str], versions: tuple[str, ...] = ()) -> AffectedPackage:
    """What an advisory says about a package, with one range."""
    ranges = (events,) if events else ()
    return AffectedPackage(ecosystem, "", "thing", ranges, frozenset(versions))


@pytest.mark.parametrize(
    ("installed", "fixed", "hit"),
    [
        ("1.2.4-0.2", "1.2.4-0.2+deb12u1", True),
        ("1.2.4-0.2+deb12u1", "1.2.4-0.2+deb12u1", False),
        ("2.36-9+deb12u9", "2.36-9+deb12u10", True),  # numbers, not letters
        ("1:1.2.13.dfsg-1", "2.0-1", False),  # the epoch decides
        ("3.0.8-1~deb12u1", "3.0.8-1", True),  # a tilde comes before the end
        ("5.6.1+really5.4.5-1", "5.6.1-1", False),
        ("0~git2020-1", "1.0-1", True),  # before the version 0, and yet after "introduced: 0"
    ],
)
def test_debian_versions_are_ordered_as_dpkg_does(installed: str, fixed: str, hit: bool) -> None:
    """Epochs, tildes, numbers and "+deb12u1" decide as in deb-version(7)."""
    assert affected("Debian", ("introduced", "0"), ("fixed", fixed)).affects(installed) is hit


@pytest.mark.parametrize(
    ("installed", "hit"), [("5.3.1", True), ("5.4", False), ("5.4b1", True), ("5.4.0", False), ("5.10", False)]
)
def test_python_versions_are_ordered_as_pip_does(installed: str, hit: bool) -> None:
    """A pre-release is before its release, 5.4 is 5.4.0, and 5.10 is after 5.4."""
    assert affected("PyPI", ("introduced", "0"), ("fixed", "5.4")).affects(installed) is hit


@pytest.mark.parametrize(
    ("installed", "hit"), [("0.9", False), ("1.0", True), ("1.4", True), ("1.5", False), ("2.0", True), ("2.1", False)]
)
def test_a_range_may_have_two_intervals(installed: str, hit: bool) -> None:
    """Two affected intervals in one range, in any order."""
    events = [("fixed", "1.5"), ("introduced", "2.0"), ("introduced", "1.0"), ("fixed", "2.1")]
    assert affected("PyPI", *events).affects(installed) is hit


def test_several_ranges_add_up() -> None:
    """A version in any one of the ranges is affected, and its fix is that of its own branch."""
    ranges = tuple((("introduced", a), ("fixed", b)) for a, b in (("0", "1.26.19"), ("2.0.0", "2.2.2")))
    thing = AffectedPackage("PyPI", "", "thing", ranges, frozenset())
    assert [thing.affects(each) for each in ("1.26.18", "1.26.19", "2.2.1", "2.2.2")] == [True, False, True, False]
    assert (thing.fixed_after("1.26.18"), thing.fixed_after("2.0.0")) == ("1.26.19", "2.2.2")


def test_last_affected_is_itself_affected() -> None:
    """The last affected version is in, the next one is out, and no fix is known."""
    thing = affected("PyPI", ("introduced", "0"), ("last_affected", "1.4"))
    assert [thing.affects("1.4"), thing.affects("1.4.1"), thing.fixed_after("1.4")] == [True, False, ""]


def test_versions_may_be_listed() -> None:
    """A listed version is affected however it is written, and versions from before PEP 440 beside it are ignored."""
    thing = affected("PyPI", versions=("1.0.0", "0.8dev-r123"))
    assert [thing.affects(each) for each in ("1.0", "0.8dev-r123", "1.1")] == [True, True, False]


def test_neither_range_nor_version_means_every_version() -> None:
    """An advisory that names a package and no version is about all versions."""
    assert affected("PyPI").affects("1.0")


def test_without_a_fix_every_later_version_is_affected() -> None:
    """A range without an end has none."""
    assert affected("Debian", ("introduced", "0")).affects("99:1-1")


@pytest.mark.parametrize("version", ["", "not a version", "1.0; rm", "1:"])
def test_an_invalid_version_cannot_be_compared(version: str) -> None:
    """It is an error, and neither before nor after any version."""
    with pytest.raises(UncomparableVersion, match="is not a version"):
        affected("PyPI", ("introduced", "0"), ("fixed", "2.0")).affects(version)


@pytest.mark.parametrize(
    "entry", [{"introduced": "0", "fixed": "1"}, {"since": "1"}, {"limit": "1"}, {"fixed": ""}, {"fixed": 3}]
)
def test_an_event_is_one_thing(entry: dict[str, str]) -> None:
    """An entry with two events, an unknown or an empty one is refused."""
    with pytest.raises(ValueError, match="not an event"):
        event_of(entry)


NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["Debian", "PyPI"]))
def test_a_range_is_what_lies_between_its_events(begin: str, end: str, version: str, ecosystem: str) -> None:
    """A version is affected exactly when it is not before the beginning and before the fix."""
    at, first, last = (ordered(ecosystem, each) for each in (version, begin, end))
    if first < last:
        hit = affected(ecosystem, ("introduced", begin), ("fixed", end)).affects(version)
        assert hit == (first <= at < last)


@given(st.text(max_size=30), st.sampled_from(["Debian", "PyPI"]))
def test_any_text_is_ordered_or_refused(text: str, ecosystem: str) -> None:
    """No text as a version does anything but compare with itself as equal, or raise UncomparableVersion."""
    try:
        place = ordered(ecosystem, text)
    except UncomparableVersion:
        return
    assert place == ordered(ecosystem, text)
