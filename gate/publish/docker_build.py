"""`python -m gate.publish.docker_build` (`make docker-build`): build the release's image as an acceptance run does."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

from gate.engine import connect
from gate.errors import GateError
from gate.image.build import build_image
from gate.publish.build import build_stand_in
from gate.release_file import release_of
from gate.report.terminal import Terminal

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> str:
    """Build the stand-in base, unless another base is named, and the image on it. Returns the image ID.

    Raises:
        GateError: a build failed.
    """
    parser = argparse.ArgumentParser(prog="python -m gate.publish.docker_build", description=(__doc__ or "").strip())
    parser.add_argument("--base-image", metavar="REF", help="build on this base, not on the local stand-in")
    parser.add_argument("--release-folder", type=Path, metavar="DIR", default=ROOT, help="another release's folder")
    options = parser.parse_args(arguments)
    folder, logs = options.release_folder, ROOT / ".cache"
    release = release_of(folder / "pytest.ini")
    terminal = Terminal()
    with closing(connect()) as engine, terminal.parts() as waiting_for:
        base = options.base_image
        if not base:
            log = logs / "base-build.log"
            base = build_stand_in(engine, ROOT, log, waiting_for, platform=release.platform).reference
        built = build_image(
            folder / release.image_context,
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


if __name__ == "__main__":
    try:
        main()
    except GateError as failure:
        sys.exit(f"docker-build: {failure}")
