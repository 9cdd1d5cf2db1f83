"""`python -m gate.adopt DIR …` (`make adopt`): write a new release's folder, which can be rehearsed at once.

The release has no browser and, unless one is named, no zip function; pytest.ini says how to switch a part on. Every
file is the team's from then on: nothing is written over, and the reviewed files have to be reviewed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gate.adopt.files import NewRelease, files_of
from gate.errors import GateError, WrongUse
from gate.permission.__main__ import write as write_policies
from gate.release import Release
from gate.release_file import release_of

_COMMAND = "make adopt DIR=../scraper NAME=my-team/scraper ACCOUNT=111122223333 REGION=us-east-1"
_ASKED = {
    "repository": "the ECR repository's name, such as my-team/scraper",
    "account": "the twelve-digit AWS account that owns it",
    "region": "its AWS region",
}
_OFFERED = {
    "function": ("the Lambda function that will run the image", "{name}"),
    "ci_role": ("the role that pushes", "{name}-ci-role"),
    "lambda_role": ("the role that pulls", "{name}-lambda-role"),
    "verify_role": ("the role of the nightly job", "{name}-verify-role"),
    "administrator_role": ("the account's break-glass role", "administrator"),
    "ci_subject": (
        "the workflow that becomes the CI role, <provider's host>:sub=<subject>",
        "token.actions.githubusercontent.com:sub=repo:{path}:environment:production",
    ),
    "zip_function": ("the zip-based function that the image takes the place of", ""),
    "python": ("the Python, as major.minor; none: the image brings a runtime of its own", "3.12"),
    "platform": ("the platform, as os/architecture", "linux/amd64"),
    "memory": ("the function's memory in MB", "512"),
    "reviewer": ("the role that reviews policy and principals", "infrastructure security lead"),
}


def main(arguments: list[str] | None = None) -> Path:
    """Write the folder, and say how to rehearse it. Returns the folder.

    Raises:
        WrongUse: the folder holds something, or a value cannot be.
    """
    given = vars(_parser().parse_args(arguments))
    if missing := [name for name, value in given.items() if not value and name in ("dir", *_ASKED)]:
        raise WrongUse(f"no {missing[0]} was named", remedy=f"{_COMMAND}; the rest: make adopt ARGS=--help")
    folder = Path(given.pop("dir")).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} is not empty, and nothing is written over", remedy="name a new folder")
    path = given["repository"]
    names = {"name": path.replace("/", "-"), "path": path if "/" in path else f"{path}/{path}"}
    values = {**{key: default.format(**names) for key, (_, default) in _OFFERED.items()},
              **{key: value for key, value in given.items() if value or key in _ASKED}}  # fmt: skip
    values["python"] = values["python"].replace("none", "")
    new = NewRelease(**values, today=datetime.now(UTC).date())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made, folder.name)
        _write(whole, new)
        shutil.copytree(whole, folder, dirs_exist_ok=True)
    print(f"{folder}: a release of {path} v1.0.0. Rehearse it: make accept RELEASE={folder}")
    return folder


def _write(folder: Path, new: NewRelease) -> None:
    """Every file; in a folder of its own, for a value that cannot be is found out by reading them."""
    for name, text in files_of(new, {each.name for each in fields(Release)}).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    write_policies(folder / "docs" / "policies", release_of(folder / "pytest.ini"))


def _parser() -> argparse.ArgumentParser:
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m gate.adopt", description=summary, epilog=more)
    parser.add_argument("dir", metavar="DIR", help="the folder to make; it must be new or empty")
    for name, explanation in _ASKED.items():
        parser.add_argument(_flag(name), metavar=name.upper(), required=True, help=explanation)
    for name, (explanation, default) in _OFFERED.items():
        shown = default.format(name="<repository>", path="<repository>") or "none"
        parser.add_argument(_flag(name), metavar=name.upper(), default="", help=f"{explanation} (default: {shown})")
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"adopt: {failure}")
