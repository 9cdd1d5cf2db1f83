"""Opens the gate's page with the image's Chrome, by the image's Chromedriver and Selenium, as a function would.

This text is run inside the sandbox by the image's own Python, after `gate.engine.script.ANSWER_FUNCTION`, so it imports
the standard library and the image's Selenium, and nothing of the gate. What it finds it gives to `answer`.
"""

import base64
import http.server
import json
import os
import sys
import threading
import time
from typing import Any

# What Chrome needs where there is no shared memory, no user namespace and no writable home.
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    # In a single process the software renderer of the GPU never delivers a screenshot (measured, Chromium 156).
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--single-process",
    "--no-zygote",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
)


def serve(html: bytes) -> str:
    """Serve the page on loopback; returns its address."""

    class OnePage(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnePage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def named(variable: str) -> str:
    """The path that the image's environment gives."""
    path = os.environ.get(variable, "")
    if not path:
        raise LookupError(f"the image's environment names no {variable}")
    if not os.path.exists(path):
        raise LookupError(f"{variable} names {path}, which is not there or leads nowhere")
    return path


def open_page(plan: "dict[str, Any]", times: "dict[str, float]") -> "dict[str, Any]":
    """Open the page and return what Chrome shows; `times` gets the seconds to each stage."""
    # Imported here, so that a missing Selenium is reported like any other failure.
    import selenium  # type: ignore[import-not-found, unused-ignore]
    from selenium import webdriver  # type: ignore[import-not-found, unused-ignore]
    from selenium.webdriver.chrome.options import Options  # type: ignore[import-not-found, unused-ignore]
    from selenium.webdriver.chrome.service import Service  # type: ignore[import-not-found, unused-ignore]

    begun = time.monotonic()

    def lap(name: str) -> None:
        times[name] = round(time.monotonic() - begun, 2)

    options = Options()
    options.binary_location = named("CHROME_BIN")
    for argument in (*ARGUMENTS, "--user-data-dir=/tmp/gate-probe", "--window-size={},{}".format(*plan["window"])):
        options.add_argument(argument)
    service = Service(executable_path=named("CHROMEDRIVER_BIN"), log_output="/tmp/gate-probe.log")  # noqa: S108
    driver = webdriver.Chrome(options=options, service=service)
    lap("Chrome started")
    driver.get(serve(plan["html"].encode()))
    title = driver.title
    lap("page opened")
    png = driver.get_screenshot_as_png()
    lap("screenshot taken")
    capabilities = driver.capabilities
    return {
        "title": title,
        "png": base64.b64encode(png).decode(),
        "versions": {
            "browser": str(capabilities.get("browserVersion")),
            "driver": str(capabilities.get("chrome", {}).get("chromedriverVersion")),
            "selenium": selenium.__version__,
            "python": sys.version.split()[0],
        },
    }


def main() -> None:
    """Open the page and answer the result; then wait to be measured and killed, with the browser still open."""
    plan = json.loads(sys.argv[1])
    sys.path.insert(0, os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    times: dict[str, float] = {}
    try:
        found = open_page(plan, times)
    except Exception as failure:
        # Without Chromedriver's trace, which is addresses without symbols.
        text = str(failure).partition("Stacktrace:")[0].strip()
        found = {"error": {"type": type(failure).__name__, "text": text or repr(failure)}}
    answer({**found, "times": times})  # type: ignore[name-defined]  # noqa: F821 - stands before this text
    time.sleep(plan["linger"])


if __name__ == "__main__":
    main()
