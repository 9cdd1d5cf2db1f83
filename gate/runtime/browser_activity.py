"""Whether a browser ran while the events were answered: a handler could answer without doing its work."""

from __future__ import annotations

import re
from dataclasses import dataclass

from docker.errors import APIError

from gate.browser.page_checks import opens_page
from gate.check import ACCEPTED, CheckResult, check, reject
from gate.runtime.container import Container
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings, TopProcess

# Chrome, Chromium and the browsers made of them; Firefox and WebKit, which Selenium and Playwright drive as well.
_BROWSER = re.compile(r"chrom(e|ium)|headless[-_]?shell|msedge|firefox|webkit", re.I)
_DRIVER = re.compile(r"driver", re.I)
# A browser that opens a page has dozens of threads, from its first tenth of a second on; one that is only asked for
# its version has one (measured, Chromium 156).
_THREADS = 4
_COMMAND = 200


def is_browser(process: TopProcess, path: str = "") -> bool:
    """Whether a process is a browser that opens pages, by its name and its threads.

    Args:
        process: as the engine lists it.
        path: what the image's CHROME_BIN names; that is a browser whatever it is called.
    """
    called = process.command.partition(" ")[0]
    name = called.rpartition("/")[2]
    known = (path and called == path) or (_BROWSER.search(name) and not _DRIVER.search(name))
    return process.threads >= _THREADS and bool(known)


@dataclass
class BrowserDetector:
    """Looks for a browser among a container's processes, each time it is updated.

    Attributes:
        path: what the image's CHROME_BIN names.
        browser: the command line of the first one seen.
        top_error: why the processes could not be listed the last time.
    """

    container: Container
    path: str = ""
    browser: str = ""
    top_error: str = ""

    def update(self) -> None:
        """List the processes once more, unless a browser has been seen already."""
        if self.browser:
            return
        try:
            found = self.container.top()
        except (APIError, OSError) as refused:
            self.top_error = str(refused)
            return
        self.browser = next((each.command[:_COMMAND] for each in found if is_browser(each, self.path)), "")
        self.top_error = ""


def _idle() -> HandlerRun:
    said = Invocation(1, "answered", 0.0, answer='{"ok": true}')
    return HandlerRun(Settings(512), Init("answered", 0.4), None, (said,), Footprint(512, 0, False, 0, 0, ""))


@check(1, known_bad=lambda: (_idle(),), follows=(opens_page,))
def browser_worked(run: HandlerRun) -> CheckResult:
    """A browser was seen at least once during the invocations: a handler may keep one from call to call."""
    if any(each.browser for each in run.invocations):
        return ACCEPTED
    where = f"Lambda sandbox, {len(run.invocations)} invocations"
    if error := next((each.top_error for each in run.invocations if each.top_error), ""):
        return reject(f"what ran while the events were answered could not be seen: {error}", where,
                      "let `docker top` work: it runs `ps` on the machine of the engine")  # fmt: skip
    return reject(
        "the handler answered, and no browser was at work meanwhile",
        where,
        "the safe event must do what a real one does, without its consequences: start the image's Chrome and open a "
        "page",
    )
