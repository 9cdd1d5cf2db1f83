"""Runs one program of the image and passes on the answer that it gives on a descriptor of its own.

This text is run in a container by the image's own Python (`python3 -I -S -c <text> <plan>`), so it imports the standard
library alone and nothing of the gate. The program's output is never taken for the answer; whatever it leaves running
or open keeps nobody waiting: once it has answered, it is killed with all that it started in its session.

It prints one JSON object between two marks: the text of the answer or null, whether the program took too long or wrote
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
    """The program, its answer so far, and the end of what it printed."""

    def __init__(self, plan: "dict[str, Any]") -> None:
        self.answer, given = os.pipe()
        self.output, printed = os.pipe()
        arguments = [str(each) for each in plan["arguments"]]
        self.process = subprocess.Popen(
            ["python3", "-c", str(plan["code"]), str(given), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=[given],
            start_new_session=True,
        )
        os.close(given)
        os.close(printed)
        self.open = {self.answer, self.output}
        self.answered, self.said = b"", b""

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
                self.said = (self.said + data)[-KEPT:]
        return bool(ready)

    def until_answered(self, deadline: float, most: int) -> None:
        """Read until it has answered, has ended, is late, or has written more than this."""
        while not self.answered.endswith(b"\n") and len(self.answered) <= most and time.monotonic() < deadline:
            # The order matters: what was written just before the end is still read.
            ended = self.process.poll() is not None
            self.read(0.1)
            if ended:
                # What the pipes still hold, and no more: a child that it left may print for ever.
                for _ in range(LAST_READS):
                    self.read(0)
                return

    def end(self) -> None:
        """Kill it and its session; a process that left the session holds none of the gate's descriptors."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def main() -> None:
    """Run, pass on, and end."""
    plan = json.loads(sys.argv[1])
    deadline = time.monotonic() + plan["seconds"]
    program = SupervisedScript(plan)
    program.until_answered(deadline, plan["most"])
    whole = program.answered.endswith(b"\n") and len(program.answered) <= plan["most"]
    code = program.process.poll()
    told = {
        "answer": program.answered.decode("utf-8", "replace") if whole else None,
        "late": not whole and code is None and time.monotonic() >= deadline,
        "large": len(program.answered) > plan["most"],
        "exit": code if code is None or code >= 0 else 128 - code,
        "said": program.said.decode("utf-8", "replace"),
    }
    # With a line break: the engine's log keeps the rest of a line to itself until the line ends.
    print(plan["mark"] + json.dumps(told) + plan["mark"], flush=True)
    end = time.monotonic() + plan["linger"]
    while time.monotonic() < end:
        # Read on, so that nobody waits for room in the pipe.
        if not program.read(0.5):
            time.sleep(0.1)
    program.end()
    # Not by way of Python's own end: nothing is left to do.
    os._exit(0)


if __name__ == "__main__":
    main()
