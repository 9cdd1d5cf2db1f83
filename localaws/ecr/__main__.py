"""The child process that is the door: `localaws.target` starts it and passes its settings on standard input."""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from localaws import behaviours, child
from localaws.ecr.access import Access
from localaws.ecr.api import Api
from localaws.ecr.blobs import Blobs
from localaws.ecr.credentials import Credential, Issued, Passwords
from localaws.ecr.door import Door
from localaws.ecr.operations import Ecr
from localaws.ecr.scanning import Scanner, Scans
from localaws.ecr.store import Store
from localaws.ecr.v2 import RegistryProtocol
from localaws.scanner.scanner import LocalScanner


def build(settings: dict[str, Any]) -> Door:
    """The door, from plain settings; `localaws.target.LocalTarget` writes them."""
    account, region = settings["account"], settings["region"]
    ahead = timedelta(seconds=settings["clock_ahead_seconds"])

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    def switches() -> behaviours.Behaviours:
        return behaviours.read(Path(settings["state"]))

    store = Store(Path(settings["state"]) / "ecr.json", account)
    scans = Scans(store, settings["registry"], _scanner(settings), clock)
    ecr = Ecr(account, region, store, Blobs(settings["registry"]), Passwords(clock), scans, clock, switches)
    access = Access(settings["ministack"], region, account)
    issued = Issued(tuple(Credential(*each) for each in settings["issued"]))
    api = Api(ecr, access, issued)
    api.mirror_everything()
    return Door(api, RegistryProtocol(ecr, access), access, issued, region)


def _scanner(settings: dict[str, Any]) -> Scanner:
    """The local scanner, or the one that a `module:function` makes."""
    if settings["scanner"] is None:
        return LocalScanner(Path(settings["sboms"]), [Path(path) for path in settings["advisories"]])
    module, _, function = settings["scanner"].partition(":")
    scanner: Scanner = getattr(importlib.import_module(module), function)()
    return scanner


def main() -> None:
    """Serve until the parent ends or says so."""
    door = build(child.settings_from_parent())
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    threading.Thread(target=door.serve_forever, name="door", daemon=True).start()
    print(json.dumps({"port": door.server_address[1]}), flush=True)
    ended.wait()
    door.shutdown()
    # A scan that is under way may have started programs: they end with the door.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
