"""Handlers that each do one thing wrong once they are invoked."""
# ruff: noqa: S108 - /tmp and /dev/shm are what they are about

import os
import socket
import subprocess
import sys
import time
from pathlib import Path


def fine(event, context):
    """Nothing wrong."""
    return {"ok": True, "event": event}


def raises(event, context):
    """An exception of its own."""
    raise LookupError("no such reservation")


def refuses(event, context):
    """An answer that is an error."""
    return {"ok": False, "errorType": "UnknownAction", "errorMessage": "not that"}


def hangs(event, context):
    """Never returns."""
    time.sleep(3600)


def exits(event, context):
    """Ends the process."""
    os._exit(7)


def hoards(event, context):
    """Takes more memory than there is."""
    return len(b"x" * (1 << 30))


def child_hoards(event, context):
    """A child takes more memory than there is; the handler survives."""
    return subprocess.run([sys.executable, "-c", "b'x' * (1 << 30)"], check=False).returncode


def leaves_zombie(event, context):
    """A child that nobody waits for."""
    if os.fork() == 0:
        os._exit(0)
    return {"ok": True}


def leaves_process(event, context):
    """A child that lives on."""
    subprocess.Popen(["sleep", "600"])
    return {"ok": True}


def fills_tmp(event, context):
    """Twelve megabytes more with each invocation."""
    Path(f"/tmp/{time.time_ns()}").write_bytes(b"x" * (12 << 20))
    return {"ok": True}


def constraints(event, context):
    """What the sandbox lets the function do, and what it tells it."""
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "root": _can(lambda: Path("/var/task/written").write_text("x")),
        "tmp": _can(lambda: Path("/tmp/written").write_text("x")),
        "shm": os.path.isdir("/dev/shm") and _can(lambda: Path("/dev/shm/written").write_text("x")),
        "capabilities": _status("CapEff"),
        "no_new_privileges": _status("NoNewPrivs"),
        "ways_out": [f"{host}:{port}" for host, port in _OUTSIDE if _can(lambda h=host, p=port: _connect(h, p))],
        "names": _can(lambda: socket.getaddrinfo("sts.amazonaws.com", 443)),
        "credentials": [name for name in os.environ if "CREDENTIAL" in name or "ACCESS_KEY" in name or "TOKEN" in name],
        "proxies": [name for name in os.environ if "proxy" in name.lower()],
    }


_OUTSIDE = (("169.254.169.254", 80), ("169.254.170.2", 80), ("172.17.0.1", 80), ("192.0.2.1", 443))


def _connect(host, port):
    socket.create_connection((host, port), timeout=1).close()


def _can(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


def _status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name + ":"))
