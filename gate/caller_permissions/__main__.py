"""`python -m gate.caller_permissions` (`make policies`): write the least-privilege policies."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from gate.caller_permissions.required import PUBLISHING, missing, policies_of
from gate.errors import GateError, WrongUse
from gate.registry.permitted_calls import AwsCall
from gate.release import Release
from gate.release_file import release_of

ROOT = Path(__file__).parents[2]
FOLDER = Path("docs", "policies")


def main(arguments: list[str] | None = None) -> None:
    """Write both policies for the release in pytest.ini, after a comparison with the given call logs.

    Raises:
        WrongUse: a call log has a call that no required permission is for, or cannot be read.
    """
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m gate.caller_permissions", description=about)
    parser.add_argument(
        "call_log",
        metavar="CALL LOG",
        nargs="*",
        type=Path,
        help="evidence/NNN-every-aws-call-of-the-run.json",
    )
    parser.add_argument("--release-folder", type=Path, metavar="DIR", default=ROOT, help="another release's folder")
    options = parser.parse_args(arguments)
    for path in options.call_log:
        if actions := missing(calls_in(path), PUBLISHING):
            raise WrongUse(f"no required permission is for {', '.join(actions)}", where=str(path),
                           remedy="add it to gate/caller_permissions/required.py")  # fmt: skip
    folder = options.release_folder
    for name, number in write(folder / FOLDER, release_of(folder / "pytest.ini")).items():
        print(f"{FOLDER / name}: {number} permissions")


def write(folder: Path, release: Release) -> dict[str, int]:
    """Write both policies of a release into a folder; the answer is the number of permissions in each file."""
    folder.mkdir(parents=True, exist_ok=True)
    policies = {f"{name}.json": policy for name, policy in policies_of(release).items()}
    for name, policy in policies.items():
        (folder / name).write_text(text(policy), encoding="utf-8")
    return {name: sum(len(each["Action"]) for each in policy["Statement"]) for name, policy in policies.items()}


def text(policy: dict[str, Any]) -> str:
    """The policy as the file contains it."""
    return json.dumps(policy, indent=2) + "\n"


def calls_in(path: Path) -> tuple[AwsCall, ...]:
    """The calls in the call log among the evidence of a run.

    Raises:
        WrongUse: the file is not a call log.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return tuple(AwsCall(**call) for call in record["answer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(f"{path} is not the call log of a run: {error}") from error


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"policies: {failure}")
