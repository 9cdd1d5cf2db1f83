"""Runs one script in a container and reports the answer that it writes to a descriptor of its own.

This text is run by the image's own Python (`python3 -I -S -c <text> <plan>`), so it imports the standard library alone
and nothing of the gate. The script's output is never taken for its answer, and processes or descriptors that it leaves
open are not waited for: once it has answered, it is killed with all that it started in its session.

It prints one JSON object between two marks: the text of the answer or null, whether the script took too long or wrote
too much, its exit code as a shell gives it (128 + signal), and the end of what it printed.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any

CHUNK = 1 << 16
KEPT = 4000
LAST_READS = 4


class SupervisedScript:
    """The script's process, its answer so far, and the end of what it printed."""

    def __init__(self, plan: "dict[str, Any]") -> None:
        self.answer, given = os.pipe()
        self.output, printed_to = os.pipe()
        arguments = [str(each) for each in plan["arguments"]]
        self.process = subprocess.Popen(
            ["python3", "-c", str(plan["code"]), str(given), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=printed_to,
            stderr=printed_to,
            pass_fds=[given],
            start_new_session=True,
        )
        os.close(given)
        os.close(printed_to)
        self.open = {self.answer, self.output}
        self.answered, self.printed = b"", b""

    def read(self, seconds: float) -> bool:
        """Read what comes within this time; False when nothing did."""
        ready, _, _ = select.select(list(self.open), [], [], seconds)
        for each in ready:
            data = os.read(each, CHUNK)
            if not data:
                self.open.discard(each)
            elif each == self.answer:
                self.answered += data
            else:
                self.printed = (self.printed + data)[-KEPT:]
        return bool(ready)

    def until_answered(self, deadline: float, most: int) -> None:
        """Read until it has answered, has ended, is late, or has written more than this."""
        while not self.answered.endswith(b"\n") and len(self.answered) <= most and time.monotonic() < deadline:
            # In this order, so that what was written just before the end is still read.
            ended = self.process.poll() is not None
            self.read(0.1)
            if ended:
                # Only what the pipes still hold: a child process that it left may print without end.
                for _ in range(LAST_READS):
                    self.read(0)
                return

    def end(self) -> None:
        """Kill it and its session. A process that left the session holds none of the descriptors that are read here."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def main() -> None:
    """Run the script, report its answer, and end it."""
    plan = json.loads(sys.argv[1])
    deadline = time.monotonic() + plan["seconds"]
    script = SupervisedScript(plan)
    script.until_answered(deadline, plan["most"])
    whole = script.answered.endswith(b"\n") and len(script.answered) <= plan["most"]
    code = script.process.poll()
    report = {
        "answer": script.answered.decode("utf-8", "replace") if whole else None,
        "late": not whole and code is None and time.monotonic() >= deadline,
        "large": len(script.answered) > plan["most"],
        "exit": code if code is None or code >= 0 else 128 - code,
        "printed": script.printed.decode("utf-8", "replace"),
    }
    # With a line break: the engine's log shows a line only once it has ended.
    print(plan["mark"] + json.dumps(report) + plan["mark"], flush=True)
    end = time.monotonic() + plan["linger"]
    while time.monotonic() < end:
        # Read on, or the script would block on a full pipe.
        if not script.read(0.5):
            time.sleep(0.1)
    script.end()
    # Skips Python's shutdown, which could wait for threads.
    os._exit(0)


if __name__ == "__main__":
    main()
