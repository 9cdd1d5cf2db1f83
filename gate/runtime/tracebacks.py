"""From a traceback the line of the image's own code that a failure comes from. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMPORT_PATH = Path(__file__).with_name("import_path.py").read_text()
IMPORT_HANDLER = IMPORT_PATH + Path(__file__).with_name("import_handler.py").read_text()
_CODE = 160
_PARTS = 3
# A frame as Python's traceback module writes it; awslambdaric writes syntax errors with "Line" and no comma.
_FRAME = re.compile(r'\s*File "([^"\n]+)",? [lL]ine (\d+)[^\n]*(?:\n\s*([^\n]*))?')
# Where pip puts packages by default, also below the task root (a virtual environment, `--prefix`).
_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Frame:
    """One line of code that was running when an exception was raised."""

    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f": `{self.code.strip()[:_CODE]}`" if self.code.strip() else "")


def frames_in(trace: Any) -> tuple[Frame, ...]:
    """The frames of a stackTrace as the runtime posts it: a list of texts; anything else in it is left out."""
    texts = [each for each in trace if isinstance(each, str)] if isinstance(trace, list) else []
    found = (match for text in texts for match in _FRAME.finditer(text))
    return tuple(Frame(file, int(line), code or "") for file, line, code in (match.groups() for match in found))


def frames_of(answer: Any) -> tuple[Frame, ...]:
    """The frames that `import_handler.py` answers: a list of (file, line, code)."""
    given = [e for e in answer if isinstance(e, list) and len(e) == _PARTS] if isinstance(answer, list) else []
    return tuple(Frame(str(file), line, str(code)) for file, line, code in given if isinstance(line, int))


def own_line(frames: Sequence[Frame], root: str, packages: Collection[str] = ()) -> str:
    """The deepest line of the image's own code, as file:line; "" when there is none.

    Args:
        frames: the outermost first.
        root: the task root.
        packages: what stands directly in the task root and belongs to an installed package.
    """
    deepest = [frame for frame in reversed(frames) if _is_own(frame.file, root, packages)]
    # Where the team's own code was installed as a package, it is the next best.
    deepest += [frame for frame in reversed(frames) if _is_own(frame.file, root, ())]
    return str(deepest[0]) if deepest else ""


def _is_own(file: str, root: str, packages: Collection[str]) -> bool:
    folder = root.rstrip("/") + "/"
    parts = file.removeprefix(folder).split("/")
    return file.startswith(folder) and parts[0] not in packages and not _INSTALLED & set(parts)
