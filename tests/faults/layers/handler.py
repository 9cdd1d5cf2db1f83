"""A handler that answers the safe event at once, and does what ONE_FAULT names."""
# ruff: noqa: S108 - /tmp is what it is about

import os
import subprocess
import sys
import time
from pathlib import Path

FAULT = os.environ.get("ONE_FAULT", "")
COUNT = {"invocations": 0}

if FAULT.startswith("slow "):
    time.sleep(float(FAULT.removeprefix("slow ")))
if FAULT == "hoards at init":
    HELD = b"x" * (1 << 30)
if FAULT == "raises at init":
    raise RuntimeError("no configuration for this stage")


def lambda_handler(event, context):
    """Answer, and leave behind what the fault says."""
    COUNT["invocations"] += 1
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
