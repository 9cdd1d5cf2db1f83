"""The report in a real browser: read, unfolded, searched, filtered, printed, on paper and on a small screen."""

import json
import re
from html.parser import HTMLParser

import pytest

from tests.report.sample import FOUND, SAMPLES

pytestmark = pytest.mark.docker
MAIL_BYTES = 5_000_000


@pytest.fixture(params=SAMPLES)
def name(request):
    """The name of each sample."""
    return request.param


@pytest.fixture
def page(seen, name):
    """What the browser saw of it."""
    return seen[name]


def test_the_verdict_is_read_at_first_sight_in_its_own_colour(seen):
    """The word is there in both schemes, and says yes and no in different colours."""
    assert (seen["failing"]["light"]["word"], seen["passing"]["light"]["word"]) == (
        "REHEARSAL FAILED",
        "REHEARSAL PASSED",
    )
    colours = {(name, scheme): seen[name][scheme]["colour"] for name in SAMPLES for scheme in ("light", "dark")}
    assert len(set(colours.values())) == 4, colours


def test_the_dark_scheme_is_dark(page):
    """A reader's dark scheme is followed."""
    assert page["light"]["ground"] != page["dark"]["ground"]


def test_each_cause_is_told_once_with_the_scenarios_it_hit(seen):
    """Eight scenarios of one cause are one paragraph that says what to do and counts them."""
    [told] = [text for text in seen["failing"]["light"]["why"] if "opasswd" in text]
    assert "chmod -R a+rX" in told
    assert "8 scenarios in AC1, AC2, AC4, AC5, AC6, AC7, AC8, AC9" in told
    assert "What follows from it: 8 more scenarios" in told
    assert seen["passing"]["light"]["why"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, scheme):
    """No serious or critical violation with everything unfolded, contrast (WCAG AA) included."""
    found = [violation for violation in page[scheme]["axe"] if violation["impact"] in {"serious", "critical"}]
    assert not found, json.dumps(found, indent=1)


def test_the_console_stays_silent(page):
    """No error, no warning, no refused request."""
    assert page["console"] == []


def test_nothing_is_requested(page, reports, name):
    """The browser asked nobody for anything, and nothing in the file would make it."""
    assert (page["requested"], page["light"]["resources"]) == ([], [])
    assert _references(reports[name].read_text()) == []
    assert "default-src 'none'" in reports[name].read_text()


def _references(html):
    """Every attribute that a browser would follow to another place."""
    found = []

    class Following(HTMLParser):
        def handle_starttag(self, tag, attrs):
            named = {
                key: value or "" for key, value in attrs if key in {"src", "href", "srcset", "action", "data", "poster"}
            }
            found.extend(value for value in named.values() if value and not value.startswith(("#", "data:")))
            found.extend(re.findall(r"url\((?!['\"]?data:)[^)]*\)|@import", dict(attrs).get("style") or ""))

    Following().feed(html)
    return found + re.findall(r"@import|url\(", "".join(re.findall(r"<style.*?</style>", html, re.S)))


def test_it_can_be_mailed(reports, name):
    """Ten thousand findings and two hundred long records stay below a mail attachment."""
    assert reports[name].stat().st_size < MAIL_BYTES
    assert f"Vulnerabilities: {FOUND:,} open" in reports["failing"].read_text()


def test_the_keyboard_is_enough(page):
    """Tab and Enter unfold a criterion; a search finds the scenarios; Space presses a filter."""
    keys = page["keyboard"]
    assert keys["after"] is not keys["before"]
    assert keys["searched"]
    assert all("cenario 4.1" in text for text in keys["searched"])
    assert keys["count"].startswith(f"{len(keys['searched'])} of ")


def test_the_filter_shows_failures_alone(seen):
    """The filter leaves what failed, and nothing where nothing did."""
    assert set(seen["failing"]["keyboard"]["filtered"]) == {"failed"}
    assert seen["passing"]["keyboard"]["filtered"] == []


def test_verdict_cause_way_out_and_criteria_are_seen_without_scrolling(seen):
    """At 1280 × 900 pixels."""
    for name, wanted in (("failing", 4), ("passing", 2)):
        bottoms = [y for y in seen[name]["light"]["bottoms"].values() if y is not None]
        assert len(bottoms) == wanted
        assert max(bottoms) <= 900, seen[name]["light"]["bottoms"]


def test_it_prints_black_on_white(page):
    """On paper the ground is white, also for a dark reader, bars are drawn, and what can only be clicked is gone."""
    paper = {name: page["print"][name] for name in ("tools", "ground", "ink", "link", "bars")}
    assert paper == {"tools": "none", "ground": "rgb(255, 255, 255)", "ink": "rgb(0, 0, 0)",
                     "link": "rgb(11, 87, 164)", "bars": "exact"}  # fmt: skip


def test_on_paper_tables_fit_and_what_is_folded_stays_folded(page):
    """Nothing beyond the right edge, also of what scrolls on a screen; a few pages and not thirty."""
    assert page["print"]["over"] == []
    assert page["print"]["open"] <= 1
    assert page["print"]["pages"] <= 10


def test_it_fits_a_small_screen(page):
    """At 320 pixels nothing runs over the right edge (WCAG 1.4.10)."""
    assert page["narrow"] == {"over": 0, "what": []}


def test_the_raw_list_is_behind_one_fold(page):
    """pytest-html's list and its filters still work, by keyboard, inside our fold."""
    assert page["raw"] == {"before": 3, "after": 2, "tables": 1}
