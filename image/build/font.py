"""Build stage: takes the one Korean font file out of its wheel."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

FONT = "koreanize_matplotlib/fonts/NanumGothic.ttf"


def main(wheels: Path, folder: Path) -> None:
    """Write the font of the only wheel in a folder below another."""
    (wheel,) = wheels.glob("*.whl")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as zipped:
        (folder / Path(FONT).name).write_bytes(zipped.read(FONT))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
