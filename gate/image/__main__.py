"""`python -m gate.image` (`make docker-build`): build the release's image, just as an acceptance run does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gate.engine import Engine, connect
from gate.errors import GateError
from gate.image.build import build_image
from gate.release import release_of
from gate.run.bases import build_stand_in
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
    release = release_of(ROOT / "pytest.ini")
    logs = ROOT / ".cache"
    terminal = Terminal()
    with closing(connect()) as engine, terminal.parts() as waiting_for:
        base = options.base_image or _stand_in(engine, logs / "base-build.log", waiting_for, release.platform)
        built = build_image(
            ROOT / release.image_context,
            tag=f"{release.repository}:latest",
            base_image=base,
            version=release.release_tag,
            platform=release.platform,
            buildkit=engine.buildkit,
            log=logs / "build.log",
            progress=waiting_for,
        )
    terminal.say(f"{built.tag} is {built.image_id}, built in {built.seconds:.0f} s")
    return built.image_id


def _stand_in(engine: Engine, log: Path, progress: Callable[[str], None], platform: str) -> str:
    return build_stand_in(engine, ROOT, log, progress, platform=platform).reference


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"docker-build: {failure}")
