"""`python -m gate.permission` (`make policies`): write the least-privilege policies, compared with call logs."""

from __future__ import annotations

import argparse
import configparser
import json
import sys
from dataclasses import fields
from pathlib import Path

from gate.errors import GateError, WrongUse
from gate.permission.needs import PUBLISHING, VERIFYING, uncovered
from gate.permission.policy import document, text
from gate.registry.permitted import AwsCall
from gate.release import Release, read

ROOT = Path(__file__).parents[2]
FOLDER = Path("docs", "policies")
FILES = {"verify.json": VERIFYING, "publish.json": PUBLISHING}


def main(arguments: list[str] | None = None) -> None:
    """Write both policies for the release in pytest.ini.

    Raises:
        WrongUse: a call log shows a call that no permission on the list is for, or cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m gate.permission", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "AWS call log", nargs="*", type=Path, help="the call log of a run, evidence/NNN-aws-call-log.json"
    )
    for path in parser.parse_args(arguments).call_log:
        _hold_against(path)
    release = release_of(ROOT / "pytest.ini")
    for name, needs in FILES.items():
        path = ROOT / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(document(needs, release)), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(needs)} permissions")


def release_of(ini: Path) -> Release:
    """The release that a pytest.ini states, read without pytest."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ini, encoding="utf-8")
    values = settings["pytest"]
    lines = {each.name for each in fields(Release) if each.metadata["lines"]}
    return read(lambda key: values.get(key, "").split() if key in lines else values.get(key, ""))


def calls_in(path: Path) -> tuple[AwsCall, ...]:
    """The calls that a run's call log, as kept with its evidence, recorded.

    Raises:
        WrongUse: it is no call log.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return tuple(AwsCall(**call) for call in record["answer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(f"{path} is not the call log of a run: {error}") from error


def _hold_against(path: Path) -> None:
    if missing := uncovered(calls_in(path), PUBLISHING):
        raise WrongUse(f"no permission on the list is for {', '.join(missing)}", where=str(path),
                       remedy="add it to gate/permission/needs.py")  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"policies: {failure}")
