"""The pin of Chrome: what a Dockerfile and a lock say, and when that is current."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.browser.chrome_age import ChromePin, LockUnreadable, NothingPinned, pin_current, read
from gate.browser.newest import StableVersion
from gate.errors import GateError
from gate.run.inputs import chrome_pin
from gate.scan.exceptions.reading import parse

TODAY = date(2026, 11, 27)
NEWEST = StableVersion("158.0.8127.37", date(2026, 11, 26), "the list")


def pin(age: int = 10, version: str = "158.0.8127.37", **changes) -> ChromePin:
    """A locked version that the archive received so many days ago."""
    return ChromePin(**{"version": version, "locked": version, "released": TODAY - timedelta(days=age), **changes})


def said(pinned: ChromePin, newest: StableVersion = NEWEST, days: int = 60, majors: int = 4) -> str:
    """What the check says, and where."""
    return "\n".join(map(str, pin_current(pinned, newest, TODAY, days, majors).rejections))


@pytest.mark.parametrize(
    "pinned",
    [pin(), pin(0), pin(60), pin(-1), pin(version="154.0.1.2"), pin(version="159.0.1.2"), pin(version="158.0.0.0"),
     ChromePin("", "", None, packaged=True)],
)  # fmt: skip
def test_current(pinned):
    """Within both limits; a version that is newer than the known one; a package, which the scanner sees."""
    assert said(pinned) == ""


@pytest.mark.parametrize(
    ("pinned", "words"),
    [
        (pin(61), "is of 2026-09-27, 61 days old; at most 60 are allowed"),
        (pin(325, "143.0.7499.192"), "325 days old"),
        (
            pin(325, "143.0.7499.192"),
            "is 15 major versions behind 158.0.8127.37, the stable one of 2026-11-26; at most 4",
        ),
        (pin(version="153.9.9.9"), "5 major versions behind"),
        (pin(-2), "its date 2026-11-29 is in the future"),
        (pin(released=None), "it has no date"),
        (pin(locked=""), "chrome.lock is missing"),
        (pin(locked="157.0.1.2"), "pins Chrome 158.0.8127.37, and chrome.lock is for 157.0.1.2"),
        (pin(version="", locked=""), "no version of it is pinned"),
    ],
)
def test_not_current(pinned, words):
    """Each with a way out."""
    assert words in said(pinned)
    assert "to do: " in said(pinned)


@pytest.mark.parametrize(("days", "majors", "accepted"), [(9, 0, False), (10, 0, True), (10, 999, True)])
def test_the_limits_are_the_releases(days, majors, accepted):
    """As pytest.ini states them."""
    assert (said(pin(10), days=days, majors=majors) == "") is accepted


def context(tmp_path: Path, dockerfile: str = "ARG CHROME_VERSION=1.2.3.4\n", lock: object = None) -> Path:
    """A folder with these two."""
    (tmp_path / "Dockerfile").write_text(dockerfile)
    if lock is not None:
        (tmp_path / "chrome.lock").write_text(lock if isinstance(lock, str) else json.dumps(lock))
    return tmp_path


LOCK = {"version": "1.2.3.4", "released": "2026-11-01", "downloads": {}}


@pytest.mark.parametrize("stand_in", [True, False])
def test_lock_and_dockerfile_are_read(tmp_path, stand_in):
    """Where there is a lock it is about the lock, on the stand-in too."""
    found = read(context(tmp_path, lock=LOCK), stand_in=stand_in, seen_by_scanner=False)
    assert found == ChromePin("1.2.3.4", "1.2.3.4", date(2026, 11, 1))


def test_lock_for_another_version_is_read_as_such(tmp_path):
    """The check reports it; neither replaces the other."""
    found = read(context(tmp_path, lock={**LOCK, "version": "9.8.7.6"}), stand_in=False, seen_by_scanner=False)
    assert (found.version, found.locked) == ("1.2.3.4", "9.8.7.6")


def test_lock_for_no_version_is_told_with_what_it_says(tmp_path):
    """The message holds the text as written."""
    with pytest.raises(LockUnreadable, match=r"is not for a version of Chrome: '1\.2\.3'"):
        read(context(tmp_path, lock={"version": "1.2.3"}), stand_in=False, seen_by_scanner=False)


def test_lock_alone_pins_too(tmp_path):
    """Where the Dockerfile takes the version from it."""
    found = read(context(tmp_path, "FROM x\n", lock=LOCK), stand_in=False, seen_by_scanner=False)
    assert found == ChromePin("1.2.3.4", "1.2.3.4", date(2026, 11, 1))


def test_lock_that_is_no_file_is_refused(tmp_path):
    """A folder of its name."""
    (context(tmp_path) / "chrome.lock").mkdir()
    with pytest.raises(LockUnreadable):
        read(tmp_path, stand_in=True, seen_by_scanner=True)


def test_lock_of_before_says_no_day(tmp_path):
    """A lock that an older version of the gate wrote."""
    found = read(context(tmp_path, lock={"version": "1.2.3.4"}), stand_in=False, seen_by_scanner=False)
    assert found == ChromePin("1.2.3.4", "1.2.3.4", None)


def test_stand_in_without_a_lock_pins_nothing(tmp_path):
    """There Debian's archive decides the version."""
    with pytest.raises(NothingPinned, match="Debian, whose archive decides"):
        read(context(tmp_path), stand_in=True, seen_by_scanner=True)


@pytest.mark.parametrize(
    ("dockerfile", "seen", "expected"),
    [
        ("ARG CHROME_VERSION=1.2.3.4\n", False, ChromePin("1.2.3.4", "", None)),
        ("ARG CHROME_VERSION=1.2.3.4\n", True, ChromePin("1.2.3.4", "", None)),
        ("RUN apt-get install chromium\n", True, ChromePin("", "", None, packaged=True)),
        ("RUN curl https://example.org/chrome.zip\n", False, ChromePin("", "", None)),
    ],
)
def test_on_aws_without_a_lock(tmp_path, dockerfile, seen, expected):
    """A package is seen by the scanner; anything else has to be pinned."""
    assert read(context(tmp_path, dockerfile), stand_in=False, seen_by_scanner=seen) == expected


@pytest.mark.parametrize(
    "lock",
    ["", "{", "[]", "null", '"1.2.3.4"', {}, {"version": "1.2.3"}, {"version": 7}, "[" * 100_000,
     {"version": "1.2.3.4", "released": 7}, {"version": "1.2.3.4", "released": "soon"}],
)  # fmt: skip
def test_lock_of_another_form_is_refused(tmp_path, lock):
    """It is not treated as missing."""
    with pytest.raises(LockUnreadable):
        read(context(tmp_path, lock=lock), stand_in=True, seen_by_scanner=True)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_unreadable_dockerfile_is_refused(tmp_path, content):
    """With its name in the message."""
    if content:
        (tmp_path / "Dockerfile").write_bytes(content)
    with pytest.raises(GateError, match="Dockerfile cannot be read"):
        read(tmp_path, stand_in=False, seen_by_scanner=True)


@pytest.mark.parametrize(
    ("target", "packaged"), [("aws", False), ("both", False), ("local", True)], ids=["aws", "both", "local"]
)
def test_the_register_says_whether_the_scanner_sees_chrome(tmp_path, target, packaged):
    """On the run's own target."""
    register = parse(f"""version: 1
policy: {{CRITICAL: never, HIGH: never}}
exceptions: []
coverage:
- {{purl: pkg:generic/chrome, target: {target}, scanning: both, reason: a, check: b, expires: 2026-12-01}}
- {{purl: pkg:generic/chromedriver, target: aws, scanning: both, reason: a, check: b, expires: 2026-12-01}}
""")
    assert register.faults == ()
    options = SimpleNamespace(image_context=context(tmp_path, "FROM x\n"))
    assert chrome_pin(SimpleNamespace(exception_scope="aws", options=options), register).packaged is packaged
