"""One Chrome per invocation, under Lambda's constraints, that leaves no process and no file behind."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from src import processes

# No sandbox, /dev/shm or zygote: Lambda grants neither the namespaces nor the shared memory they need.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--single-process",
    "--no-zygote",
    # There is no GPU; drawing in software inside the one process costs the least time of a small CPU share.
    "--disable-gpu",
    "--disable-gpu-compositing",
    "--disable-software-rasterizer",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    # A window without tabs and address bar: those are pages of script themselves, which cost four times what ours does.
    "--app=data:,",
)


@contextmanager
def chrome(settings: dict[str, Any], limit: float) -> Iterator[Chrome]:
    """A running Chrome, stopped and cleaned up afterwards.

    Args:
        settings: config/settings.json.
        limit: seconds after which every process of the session is killed.

    Raises:
        TimeoutError: the limit was reached.
        WebDriverException: Chrome or its driver failed.
    """
    processes.adopt_orphans()
    before = processes.descendants()
    expired = threading.Event()
    with ExitStack() as session:
        # Undone in reverse: quit politely, then end whatever is left, then remove the files.
        folder = tempfile.mkdtemp(prefix="chrome-")
        session.callback(shutil.rmtree, folder)
        session.callback(processes.end_new_descendants, before)
        watchdog = threading.Timer(limit, _expire, (expired, before))
        watchdog.daemon = True
        watchdog.start()
        session.callback(watchdog.cancel)
        try:
            driver = _start(settings, folder)
            session.callback(driver.quit)
            yield driver
        except Exception as failure:
            if expired.is_set():
                raise TimeoutError(f"Chrome was stopped after {limit:.0f} s") from failure
            raise


def _expire(expired: threading.Event, before: frozenset[int]) -> None:
    expired.set()
    processes.kill_new_descendants(before)


def _start(settings: dict[str, Any], folder: str) -> Chrome:
    options = ChromeOptions()
    options.binary_location = os.environ["CHROME_BIN"]
    ours = (
        f"--user-data-dir={folder}/profile",
        f"--window-size={settings['window']}",
        f"--lang={settings['language']}",
    )
    for flag in (*FLAGS, *ours):
        options.add_argument(flag)
    # Everything that Chrome writes goes to the session's folder.
    # The driver's path is explicit, so that Selenium Manager never looks for one.
    environment = {**os.environ, "HOME": folder, "TMPDIR": folder, "XDG_CACHE_HOME": f"{folder}/cache"}
    service = Service(executable_path=os.environ["CHROMEDRIVER_BIN"], env=environment)
    driver = Chrome(options=options, service=service)
    driver.set_page_load_timeout(settings["page_load_timeout_seconds"])
    return driver
