"""MiniStack as a child process: STS, IAM with enforcement, Lambda and EventBridge, on 127.0.0.1 only."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import time
from pathlib import Path

from localaws import LocalTargetError, child

_START_SECONDS = 30.0
_HOST = "127.0.0.1"


class MiniStack:
    """One MiniStack process.

    Attributes:
        endpoint: its address. MiniStack does not check callers with its own root keys, so callers get the address of
            `localaws.ecr`'s gateway instead, which refuses those keys.
    """

    def __init__(self, state: Path, account: str, region: str) -> None:
        self._state = state
        self._account = account
        self._region = region
        self._log = state / "ministack.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""

    def start(self) -> None:
        """Start it on a free port and wait until it answers.

        Raises:
            LocalTargetError: it ended, or did not answer within 30 s.
        """
        port = _free_port()
        self._process = child.spawn("localaws.ministack", self._log, self._environment(port))
        child.send_settings(self._process, {})
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise LocalTargetError(f"MiniStack did not start: {self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        self.endpoint = f"http://{_HOST}:{port}"

    def stop(self) -> None:
        """Stop it; it writes its state first."""
        if self._process is not None:
            child.stop(self._process)

    def _environment(self, port: int) -> dict[str, str]:
        files = self._state / "ministack"
        (files / "tmp").mkdir(parents=True, exist_ok=True)
        # The caller's AWS settings would change which keys MiniStack takes for root; it needs no proxy.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
        }
        return {
            **inherited,
            "BIND_HOST": _HOST,
            "GATEWAY_PORT": str(port),
            "AUTH": "true",
            "MINISTACK_ACCOUNT_ID": self._account,
            "MINISTACK_REGION": self._region,
            # These two listen on every address, and start slowly.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "SERVICES": "sts,iam,lambda,events,ecr,scheduler,organizations",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(files / "state"),
            "S3_DATA_DIR": str(files / "s3"),
            "TMPDIR": str(files / "tmp"),
            "LOG_LEVEL": "WARNING",
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) == 0


def main() -> None:
    """The child: run MiniStack until the parent ends."""
    child.settings_from_parent()
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
