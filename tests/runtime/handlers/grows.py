"""Handlers that keep something from call to call: some for ever, some not."""
# ruff: noqa: S108, SIM115 - /tmp and files that stay open are what they are about

import functools
import os
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CALLS = {"number": 0}
KEPT = []
POOL = ThreadPoolExecutor(4)
MB = 1 << 20


def _call():
    CALLS["number"] += 1
    return CALLS["number"]


def _answer():
    return {"ok": True}


def memory_20(event, context):
    """Twenty megabytes more with each call."""
    KEPT.append(os.urandom(1) * (20 * MB))
    return _answer()


def memory_40(event, context):
    """Forty megabytes more with each call."""
    KEPT.append(os.urandom(1) * (40 * MB))
    return _answer()


def memory_noisy(event, context):
    """Three megabytes more with each call, give or take one."""
    KEPT.append(b"x" * (2 * MB + 1000 * (time.time_ns() % 2000)))
    return _answer()


def memory_every_second(event, context):
    """Eight megabytes more with each second call."""
    if _call() % 2:
        KEPT.append(b"x" * (8 * MB))
    return _answer()


def tmp_profile(event, context):
    """A profile's folder that is not removed."""
    folder = Path(tempfile.mkdtemp(prefix="profile-", dir="/tmp"))
    for number in range(20):
        (folder / str(number)).write_bytes(b"x" * (90_000 + time.time_ns() % 20_000))
    return _answer()


def threads(event, context):
    """One more thread that waits for ever."""
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return _answer()


def descriptors(event, context):
    """One more file that stays open."""
    KEPT.append(open(__file__))
    return _answer()


def threads_and_files(event, context):
    """One more of each."""
    descriptors(event, context)
    return threads(event, context)


def processes(event, context):
    """One more process that lives on."""
    subprocess.Popen(["sleep", "600"])
    return _answer()


def one_off(event, context):
    """What the first call loads and writes is kept, and used again."""
    if _call() == 1:
        KEPT.append(b"x" * (30 * MB))
        Path("/tmp/cache").write_bytes(b"x" * (10 * MB))
    return _answer()


def second_warms(event, context):
    """The second call loads more than the first."""
    if _call() == 2:
        KEPT.append(b"x" * (30 * MB))
        KEPT.extend(open(__file__) for _ in range(5))
    return _answer()


def pool(event, context):
    """A pool of threads that fills with the first calls."""
    list(POOL.map(time.sleep, [0.01] * min(_call(), 4)))
    return _answer()


@functools.lru_cache(maxsize=4)
def _cached(key):
    return os.urandom(1) * (2 * MB)


def bounded_cache(event, context):
    """A cache that is full after four calls."""
    _cached(_call() % 6)
    return _answer()


def rotating_file(event, context):
    """A log in /tmp that is begun anew every third call."""
    mode = "w" if _call() % 3 == 0 else "a"
    with open("/tmp/log", mode) as log:
        log.write("x" * MB)
    return _answer()


def tidy(event, context):
    """Much is used, and nothing is kept."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / "file").write_bytes(os.urandom(20 * MB))
        threading.Thread(target=time.sleep, args=(0.01,)).start()
    return _answer()


def small_log(event, context):
    """A line more in a log in /tmp with each call: an environment does not live to see it full."""
    with open("/tmp/log", "a") as log:
        log.write("x" * 5000 + "\n")
    return _answer()
