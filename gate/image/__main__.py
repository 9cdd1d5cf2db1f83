"""`python -m gate.image` (`make docker-build`): build the release's image, just as an acceptance run does."""

from __future__ import annotations

import argparse
import configparser
import sys
from pathlib import Path

from gate.errors import GateError
from gate.image.build import build_image
from gate.run.bases import STAND_IN, STAND_IN_CONTEXT
from gate.run.terminal import Terminal

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> str:
    """Build the stand-in base, unless another base is named, and the image on it; returns the image ID.

    Raises:
        GateError: one of the two builds failed.
    """
    parser = argparse.ArgumentParser(prog="python -m gate.image", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-image", metavar="REF", help="build on this base, not on the local stand-in")
    options = parser.parse_args(arguments)
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "pytest.ini", encoding="utf-8")
    release = settings["pytest"]
    logs = ROOT / ".cache"
    terminal = Terminal()
    with terminal.parts() as waiting_for:
        if options.base_image is None:
            log = logs / "base-build.log"
            build_image(ROOT / STAND_IN_CONTEXT, tag=STAND_IN, base_image=None, log=log, progress=waiting_for)
        built = build_image(
            ROOT / release["image_context"],
            tag=f"{release['repository']}:latest",
            base_image=options.base_image or STAND_IN,
            version=release["release_tag"],
            log=logs / "build.log",
            progress=waiting_for,
        )
    terminal.say(f"{built.tag} is {built.image_id}, built in {built.seconds:.0f} s")
    return built.image_id


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"docker-build: {failure}")
