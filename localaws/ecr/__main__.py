"""The gateway's process: `localaws.target` starts it and passes its settings on standard input."""

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
from localaws.ecr.api import Api
from localaws.ecr.authorization import Authorizer
from localaws.ecr.blobs import Blobs
from localaws.ecr.credentials import Credential, IssuedCredentials, RegistryPasswords
from localaws.ecr.gateway import Gateway
from localaws.ecr.operations import Ecr
from localaws.ecr.registry_protocol import RegistryProtocol
from localaws.ecr.scanning import ImageScanner, Scans
from localaws.ecr.store import Store
from localaws.scanner.scanner import LocalScanner


def build(settings: dict[str, Any]) -> Gateway:
    """The gateway, from the settings that `localaws.target.LocalTarget` writes."""
    account, region = settings["account"], settings["region"]
    ahead = timedelta(seconds=settings["clock_ahead_seconds"])

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    def switches() -> behaviours.Behaviours:
        return behaviours.read(Path(settings["state"]))

    store = Store(Path(settings["state"]) / "ecr.json", account)
    scans = Scans(store, settings["registry"], _scanner(settings), clock)
    ecr = Ecr(account, region, store, Blobs(settings["registry"]), RegistryPasswords(clock), scans, clock, switches)
    authorizer = Authorizer(settings["ministack"], region, account)
    issued = IssuedCredentials(tuple(Credential(*each) for each in settings["issued"]))
    api = Api(ecr, authorizer, issued)
    api.mirror_everything()
    return Gateway(api, RegistryProtocol(ecr, authorizer), authorizer, issued, region)


def _scanner(settings: dict[str, Any]) -> ImageScanner:
    """The local scanner, or the one that a `module:function` makes."""
    if settings["scanner"] is None:
        return LocalScanner(Path(settings["packages"]), [Path(path) for path in settings["advisories"]])
    module, _, function = settings["scanner"].partition(":")
    scanner: ImageScanner = getattr(importlib.import_module(module), function)()
    return scanner


def main() -> None:
    """Serve until SIGTERM, which the end of the parent sends too."""
    gateway = build(child.settings_from_parent())
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    threading.Thread(target=gateway.serve_forever, name="gateway", daemon=True).start()
    print(json.dumps({"port": gateway.server_address[1]}), flush=True)
    ended.wait()
    gateway.shutdown()
    # A scan in progress may have started programs: they end with the gateway.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
