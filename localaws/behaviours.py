"""What AWS does by itself in a real account, and the local target where it is switched on.

The gateway reads the switches from `behaviours.json` in the state folder at every push: they can be set while it runs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from localaws import LocalTargetError

VARIABLE = "LOCAL_BEHAVIOURS"
_FILE = "behaviours.json"


@dataclass(frozen=True)
class Behaviours:
    """The switches.

    Attributes:
        managed_signing: each pushed image gets a signature beside it, as by a signing rule for every repository.
        signing_fails: a signing rule of the registry leads to no signature, as where the pusher may not sign.
        lifecycle_at_work: the lifecycle policy acts at every push; on AWS, at some moment within 24 hours.
    """

    managed_signing: bool = False
    signing_fails: bool = False
    lifecycle_at_work: bool = False


def parse(text: str) -> Behaviours:
    """Read the names of behaviours, separated by spaces or commas, as in the variable LOCAL_BEHAVIOURS.

    Raises:
        LocalTargetError: a name that is not known.
    """
    return _known(dict.fromkeys(text.replace(",", " ").split(), True))


def read(state: Path) -> Behaviours:
    """The switches of a running target."""
    file = state / _FILE
    return _known(json.loads(file.read_text())) if file.exists() else Behaviours()


def write(state: Path, behaviours: Behaviours) -> None:
    """Set the switches of a target, running or not."""
    draft = state / f"{_FILE}.draft"
    draft.write_text(json.dumps(asdict(behaviours)))
    draft.replace(state / _FILE)


def _known(switches: dict[str, bool]) -> Behaviours:
    known = [each.name for each in fields(Behaviours)]
    unknown = sorted(set(switches) - set(known))
    if unknown:
        raise LocalTargetError(f"the local target has no behaviour {', '.join(unknown)}: it has {', '.join(known)}")
    return Behaviours(**switches)
