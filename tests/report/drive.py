"""Looks at reports as a person with a browser does; runs inside the release image, prints what it saw as JSON.

Usage: drive.py FOLDER, which holds NAME.html files and axe.min.js; screenshots go there too. Standard library and
Selenium only: nothing of the project is in this container.
"""

import base64
import json
import os
import re
import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

# The width of A4 between margins of 12 mm, at 96 pixels an inch.
A4_PIXELS = 703
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--hide-scrollbars")  # fmt: skip
AXE = """
const done = arguments[0];
const where = v => v.nodes.slice(0, 5).map(n => n.target + ": " + n.failureSummary);
axe.run(document, {resultTypes: ["violations"]}).then(
  found => done(found.violations.map(v => ({rule: v.id, impact: v.impact, where: where(v)}))),
  error => done([{rule: "axe", impact: "critical", where: [String(error)]}]));
"""
REQUESTS = "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))"
# Where what has to be seen at first sight ends, in pixels from the top.
BOTTOMS = """
const one = selector => document.querySelector(selector)?.getBoundingClientRect().bottom;
return {verdict: one(".verdict"), cause: one("#cause-1 .what"), remedy: one("#cause-1 .to-do"),
        criteria: one(".criteria tbody tr:last-child")};
"""
PRINTED_OVER = """
const wide = document.documentElement.clientWidth;
const over = e => e.checkVisibility() && !e.closest("#gate-raw") && e.getBoundingClientRect().right > wide + 1;
return [...document.querySelectorAll("body *")].filter(over).slice(0, 5).map(e => e.outerHTML.slice(0, 120));
"""
SHOWN = """
const shown = e => !e.hidden && e.checkVisibility();
return [...document.querySelectorAll(".scenario")].filter(shown).map(e => e.dataset.status);
"""
OVERFLOW = """
const wide = document.documentElement.clientWidth;
const over = e => e.checkVisibility() && !e.closest(".scroll, #gate-raw") && e.getBoundingClientRect().right > wide + 1;
const what = [...document.querySelectorAll("body *")].filter(over).slice(0, 5).map(e => e.outerHTML.slice(0, 120));
return [document.documentElement.scrollWidth - wide, what];
"""


def start():
    """A headless Chrome that notes its console and every request."""
    options = ChromeOptions()
    options.binary_location = os.environ["CHROME_BIN"]
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(os.environ["CHROMEDRIVER_BIN"]))
    driver.set_script_timeout(120)
    return driver


def look(driver, folder, name):
    """Everything the tests ask about one report."""
    return {
        "light": visit(driver, folder, name, "light"),
        "dark": visit(driver, folder, name, "dark"),
        "keyboard": keyboard(driver, folder, name),
        "print": printed(driver, folder, name),
        "narrow": narrow(driver, folder, name),
        "raw": raw(driver, folder, name),
        "console": [entry["message"] for entry in driver.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}],
        "requested": requested(driver),
    }


def opened(driver, folder, name, scheme="light", width=1280, media="screen"):
    """The report in a fresh page."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(f"file://{folder}/{name}.html")


def visit(driver, folder, name, scheme):
    """First sight, and axe's opinion of the page with everything unfolded."""
    opened(driver, folder, name, scheme)
    word = driver.find_element(By.CSS_SELECTOR, "#gate .word")
    seen = {
        "title": driver.title,
        "word": word.text,
        "colour": word.value_of_css_property("color"),
        "ground": driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"),
        "why": [e.text for e in driver.find_elements(By.CSS_SELECTOR, "#why ~ .cause")],
        "resources": driver.execute_script(REQUESTS),
        "bottoms": driver.execute_script(BOTTOMS),
    }
    picture(driver, folder / f"{name}-{scheme}-first-sight.png", 1280, 900)
    picture(driver, folder / f"{name}-{scheme}.png", 1280, 2400)
    driver.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    driver.execute_script(Path(folder, "axe.min.js").read_text())
    return {**seen, "axe": driver.execute_async_script(AXE)}


def picture(driver, path, width, height):
    """A screenshot from the top of the page."""
    whole = driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(whole, height), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    path.write_bytes(base64.b64decode(shot["data"]))


def keyboard(driver, folder, name):
    """A criterion unfolded, a search typed and a filter pressed, without a mouse."""
    opened(driver, folder, name)
    criterion = "#ac2"
    tab_to(driver, f"document.activeElement.closest('{criterion} > summary')")
    before = is_open(driver, criterion)
    press(driver, Keys.ENTER)
    after = is_open(driver, criterion)
    driver.execute_script("document.activeElement.blur(); document.body.focus()")
    tab_to(driver, "document.activeElement.id === 'gate-search'")
    press(driver, "scenario 4.1")
    searched = [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".scenario:not([hidden]) .title")]
    count = driver.find_element(By.ID, "gate-count").text
    press(driver, Keys.BACKSPACE * len("scenario 4.1"))
    tab_to(driver, "document.activeElement.dataset.show === 'failed'")
    press(driver, Keys.SPACE)
    return {
        "before": before,
        "after": after,
        "searched": searched,
        "count": count,
        "filtered": driver.execute_script(SHOWN),
    }


def press(driver, key):
    """One key or text into what has the focus."""
    driver.switch_to.active_element.send_keys(key)


def tab_to(driver, condition):
    """Tab until something has the focus; fails after 200 presses."""
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    for _ in range(200):
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
        driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        if driver.execute_script(f"return Boolean({condition})"):
            return
    raise SystemExit(f"the keyboard does not reach {condition}")


def is_open(driver, selector):
    """Whether a fold is unfolded."""
    return driver.execute_script("return document.querySelector(arguments[0]).open", selector)


def printed(driver, folder, name):
    """The page on paper: dark readers print black on white, tools stay on the screen, what is folded stays folded."""
    opened(driver, folder, name, "dark", width=A4_PIXELS, media="print")
    style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    over = driver.execute_script(PRINTED_OVER)
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    (folder / f"{name}.pdf").write_bytes(pdf)
    return {
        "tools": driver.execute_script(style, "#gate .tools", "display"),
        "ground": driver.execute_script(style, "body", "backgroundColor"),
        "ink": driver.execute_script(style, "body", "color"),
        "link": driver.execute_script(style, "#gate .criteria a", "color"),
        "bars": driver.execute_script(style, "#gate .bar", "printColorAdjust"),
        "open": driver.execute_script("return document.querySelectorAll('#gate details[open]').length"),
        "over": over,
        "pages": len(re.findall(rb"/Type\s*/Page\b", pdf)),
    }


def narrow(driver, folder, name):
    """The page on a screen of 320 pixels, everything unfolded: how far it runs over, and what does."""
    opened(driver, folder, name, width=320)
    picture(driver, folder / f"{name}-narrow.png", 320, 2400)
    driver.execute_script("document.getElementById('gate-open').click()")
    over, what = driver.execute_script(OVERFLOW)
    return {"over": over, "what": what}


def raw(driver, folder, name):
    """pytest-html's own list: a row unfolded by keyboard, a filter taken away."""
    opened(driver, folder, name)
    driver.execute_script("document.getElementById('gate-raw').open = true")
    rows = "#gate-raw #results-table tbody"
    before = len(driver.find_elements(By.CSS_SELECTOR, rows))
    driver.find_element(By.CSS_SELECTOR, f"{rows} .col-result").send_keys(Keys.ENTER)
    driver.find_element(By.CSS_SELECTOR, '#gate-raw input[data-test-result="passed"]').send_keys(Keys.SPACE)
    return {
        "before": before,
        "after": len(driver.find_elements(By.CSS_SELECTOR, rows)),
        "tables": len(driver.find_elements(By.ID, "results-table")),
    }


def requested(driver):
    """Every address that Chrome was asked for, but for the report itself and what it holds."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("file:", "data:"))]


def main():
    """Look at every report of the folder."""
    folder = Path(sys.argv[1])
    driver = start()
    try:
        print(json.dumps({page.stem: look(driver, folder, page.stem) for page in sorted(folder.glob("*.html"))}))
    finally:
        driver.quit()


main()
