"""The wording of the scenarios about Chrome and Chromedriver in the image."""

from pytest_bdd import given, parsers, then, when

from gate.browser import page_checks
from gate.browser import versions_and_libraries as programs
from gate.browser.chrome_age import LOCK, pin_current
from gate.browser.newest import LIST
from gate.check import require


@when("Chrome and Chromedriver are asked for their versions")
def versions_asked(candidate, evidence):
    """The version that each program prints, and the one that it should have."""
    for printed, expected in (
        (candidate.chrome_version, candidate.chrome_pin),
        (candidate.driver_version, candidate.driver_pin),
    ):
        evidence.add("version", {"answer": printed, "pin": expected}, asked=printed.command)


@then("they share a major version")
def share_major(candidate):
    """Chromedriver supports its own major version only."""
    require(programs.share_major(candidate.chrome_version, candidate.driver_version))


@then("each has the version it is pinned at")
def are_pinned(candidate):
    """By chrome.lock, or by the package database of the stand-in."""
    require(programs.has_expected_version(candidate.chrome_version, candidate.chrome_pin))
    require(programs.has_expected_version(candidate.driver_version, candidate.driver_pin))


@when(parsers.parse('the loader lists the libraries of the program behind "{variable}"'), target_fixture="listing")
def libraries_listed(candidate, evidence, variable):
    """What the dynamic loader finds, and what it does not."""
    listing = candidate.libraries(variable)
    return evidence.add(f"libraries of {variable}", listing, asked=listing.command)


@then("it finds every one of them")
def libraries_found(listing):
    """A missing library is a crash at start."""
    require(programs.libraries_complete(listing))


@when("Chrome opens a page that carries a secret of this run")
def page_opened(candidate, evidence):
    """The gate's page, in the image's Chrome, under Lambda's constraints."""
    evidence.attach("chrome-page.png", candidate.probe_run.png)
    evidence.add("Chrome on the gate's page", candidate.probe_run, asked="the gate's probe in the Lambda sandbox")


@then("the secret comes back in the title and in the picture")
def secret_returns(candidate):
    """A canned answer cannot hold them."""
    require(page_checks.opens_page(candidate.probe_run))
    require(page_checks.secret_returns(candidate.probe_run))


@then("the letters of the agreed language are glyphs in the picture")
def text_drawn(candidate):
    """Boxes for missing glyphs are all equal; letters differ."""
    require(page_checks.text_is_drawn(candidate.probe_run))


@given("the Chrome that the release pins", target_fixture="pinned")
def chrome_that_is_pinned(chrome_pin, evidence):
    """By Dockerfile and lock."""
    return evidence.add("pinned Chrome", chrome_pin, asked=f"cat {LOCK}")


@when("the newest stable Chrome is looked up", target_fixture="newest")
def newest_looked_up(newest_chrome, evidence):
    """In Chrome for Testing's list, else in the repository's dated file."""
    return evidence.add("newest stable Chrome", newest_chrome, asked=f"curl {LIST}")


@then("the pin is within the agreed age and distance")
def pin_is_current(pinned, newest, release, now):
    """In days, and in major versions."""
    require(pin_current(pinned, newest, now().date(), *release.chrome_limits))
