"""`python -m gate.adopt DIR …` (`make adopt`): write a new release's folder, which can be rehearsed at once.

The release has no browser and, unless one is named, no zip function; pytest.ini says how to switch a part on. Every
file is the team's from then on: nothing is written over, and the reviewed files have to be reviewed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from gate.adopt.files import NewRelease, files_of
from gate.caller_permissions.__main__ import write as write_policies
from gate.errors import GateError, WrongUse
from gate.release_file import release_of

_COMMAND = "make adopt DIR=../scraper NAME=my-team/scraper ACCOUNT=111122223333 REGION=us-east-1"
_VALUES = {each.name: each.metadata for each in fields(NewRelease) if each.metadata}


def main(arguments: list[str] | None = None) -> Path:
    """Write the folder, and say how to rehearse it. Returns the folder.

    Raises:
        WrongUse: the folder holds something, or a value cannot be.
    """
    given = vars(_parser().parse_args(arguments))
    needed = ("dir", *(name for name, stated in _VALUES.items() if stated["default"] is None))
    if missing := [name for name in needed if not given[name]]:
        raise WrongUse(f"no {missing[0]} was named", remedy=f"{_COMMAND}; the rest: make adopt ARGS=--help")
    folder = Path(given.pop("dir")).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise WrongUse(f"{folder} is not empty, and nothing is written over", remedy="name a new folder")
    path = given["repository"]
    names = {"name": path.replace("/", "-"), "path": path if "/" in path else f"{path}/{path}"}
    values = {key: given[key] or stated["default"].format(**names) for key, stated in _VALUES.items()}
    values["python"] = values["python"].replace("none", "")
    new = NewRelease(**values)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as made:
        whole = Path(made, folder.name)
        _write(whole, new)
        shutil.copytree(whole, folder, dirs_exist_ok=True)
    print(f"{folder}: a release of {path} v1.0.0. Rehearse it: make accept RELEASE={folder}")
    return folder


def _write(folder: Path, new: NewRelease) -> None:
    """Every file; in a folder of its own, for a value that cannot be is found out by reading them."""
    for name, text in files_of(new).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    write_policies(folder / "docs" / "policies", release_of(folder / "pytest.ini"))


def _parser() -> argparse.ArgumentParser:
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m gate.adopt", description=summary, epilog=more)
    parser.add_argument("dir", metavar="DIR", help="the folder to make; it must be new or empty")
    for name, stated in _VALUES.items():
        said, default, flag = stated["explanation"], stated["default"], "--" + name.replace("_", "-")
        if default is not None:
            said += f" (default: {default.format(name='<repository>', path='<repository>') or 'none'})"
        parser.add_argument(flag, metavar=name.upper(), required=default is None, default="", help=said)
    return parser


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"adopt: {failure}")
