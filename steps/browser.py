"""The wording of the claims about Chrome and Chromedriver in the image."""

from pytest_bdd import parsers, then, when

from gate.browser import judges, programs
from gate.judgement import require


@when("Chrome and Chromedriver are asked for their versions")
def versions_asked(candidate, evidence):
    """What each program says, and what it should be."""
    for answer, pin in (
        (candidate.chrome_version, candidate.chrome_pin),
        (candidate.driver_version, candidate.driver_pin),
    ):
        evidence.add("version", {"answer": answer, "pin": pin}, asked=answer.command)


@then("they share a major version")
def share_major(candidate):
    """Chromedriver supports its own major version only."""
    require(programs.share_major(candidate.chrome_version, candidate.driver_version))


@then("each has the version it is pinned at")
def are_pinned(candidate):
    """By chrome.lock, or by the package database of the stand-in."""
    require(programs.is_pinned(candidate.chrome_version, candidate.chrome_pin))
    require(programs.is_pinned(candidate.driver_version, candidate.driver_pin))


@when(parsers.parse('the loader lists the libraries of the program behind "{variable}"'), target_fixture="listing")
def libraries_listed(candidate, evidence, variable):
    """What the dynamic loader finds, and what it does not."""
    listing = candidate.libraries(variable)
    evidence.add(f"libraries of {variable}", listing, asked=listing.command)
    return listing


@then("it finds every one of them")
def libraries_found(listing):
    """A missing library is a crash at start."""
    require(programs.libraries_complete(listing))


@when("Chrome opens a page that carries a secret of this run")
def page_opened(candidate, evidence):
    """Our own page, in the image's Chrome, under Lambda's constraints."""
    evidence.attach("chrome-page.png", candidate.probe_run.png)
    evidence.add("Chrome's look at our page", candidate.probe_run, asked="the gate's probe in the Lambda sandbox")


@then("the secret comes back in the title and in the picture")
def secret_returns(candidate):
    """So no canned answer passes."""
    require(judges.opens_page(candidate.probe_run))
    require(judges.secret_returns(candidate.probe_run))


@then("the Korean syllables in the picture are glyphs")
def korean_drawn(candidate):
    """Boxes all look alike; syllables do not."""
    require(judges.korean_is_drawn(candidate.probe_run))
