"""What the probe brought back: facts only, none of them judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.browser.page import Page
from gate.browser.picture import Picture
from gate.runtime.report import Fault, Footprint, Outcome, Settings


@dataclass(frozen=True)
class ProbeRun:
    """Chrome's look at our page.

    Attributes:
        page: what it was given, and what it should make of it.
        title: what Chrome says the title is.
        picture: what its screenshot shows; None when there is none.
        png: the screenshot itself.
        times: seconds from the probe's start of Selenium to each stage.
        versions: of browser, driver, selenium and python, as they say themselves.
    """

    settings: Settings
    page: Page
    outcome: Outcome
    title: str
    picture: Picture | None
    times: Mapping[str, float]
    versions: Mapping[str, str]
    fault: Fault | None
    footprint: Footprint
    png: bytes = field(default=b"", repr=False)
