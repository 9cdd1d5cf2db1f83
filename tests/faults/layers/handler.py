"""A handler that answers the safe event at once, and does what ONE_FAULT names."""
# ruff: noqa: S108 - /tmp is what it is about

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from src.browser import chrome

FAULT = os.environ.get("ONE_FAULT", "")
COUNT = {"invocations": 0}
KEPT = []

if FAULT.startswith("slow "):
    time.sleep(float(FAULT.removeprefix("slow ")))
if FAULT == "hoards at init":
    HELD = b"x" * (1 << 30)
if FAULT == "raises at init":
    raise RuntimeError("no configuration for this stage")
if FAULT == "ends untidily":
    atexit.register(print, '{"callable": false, "error": "at exit", "frames": [], "packages": []}')
    threading.Thread(target=threading.Event().wait).start()


def browse():
    """Start Chrome once, and end it: a handler without a browser is a fault of its own."""
    with chrome(json.loads(Path("/var/task/config/settings.json").read_text()), 30):
        # Where the scenario about the work has to stay green, it lasts as long as opening a page does.
        time.sleep(2 if FAULT == "ends untidily" or FAULT.startswith("slow ") else 0)


def lambda_handler(event, context):
    """Answer, and leave behind what the fault says."""
    COUNT["invocations"] += 1
    if COUNT["invocations"] == 1 and FAULT != "no browser":
        browse()
    if FAULT == "keeps memory":
        KEPT.append(b"x" * (40 << 20))
    if FAULT == "leaves zombies" and os.fork() == 0:
        os._exit(0)
    if FAULT == "leaves processes":
        subprocess.Popen(["sleep", "600"])
    if FAULT == "fills tmp":
        Path(f"/tmp/{time.time_ns()}").write_bytes(b"x" * (12 << 20))
    if FAULT == "child hoards":
        subprocess.run([sys.executable, "-c", "b'x' * (1 << 30)"], check=False)
    if FAULT == "fails the third time" and COUNT["invocations"] == 3:
        raise LookupError("the session is gone")
    return {"ok": FAULT != "answers no", "action": "healthcheck"}
