"""Imports the handler as the runtime does, and answers where its import failed.

This text is run in a container by the image's own Python, after `gate.engine.script.ANSWER_FUNCTION` and the text of
`import_path.py`, with the handler and the task root as arguments; without a handler it only answers which packages are
installed in the task root. It imports the standard library and what the handler imports, and nothing of the gate.
"""

import importlib
import importlib.metadata
import sys
import traceback
from typing import Any

handler, root = sys.argv[1:]
import_as_the_runtime(root)  # type: ignore[name-defined]  # noqa: F821 - of import_path.py
found: "dict[str, Any]" = {"callable": False, "error": "", "frames": [], "packages": []}


def packages_in_root() -> "list[str]":
    """The names directly in the task root that installed packages recorded as theirs."""
    files = (file for each in importlib.metadata.distributions(path=[root]) for file in each.files or ())
    return sorted({file.parts[0] for file in files})


def frames(error: BaseException) -> "list[tuple[str, int, str]]":
    """File, line and code, the outermost first; of a syntax error also the line that it is about."""
    seen = [(each.filename, each.lineno or 0, each.line or "") for each in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        seen.append((error.filename, error.lineno or 0, (error.text or "").strip()))
    return seen


module, _, name = handler.rpartition(".")
try:
    if module:
        found["callable"] = callable(getattr(importlib.import_module(module.replace("/", ".")), name))
except BaseException as error:
    found.update(error=f"{type(error).__name__}: {error}", frames=frames(error))
found["packages"] = packages_in_root()
answer(found)  # type: ignore[name-defined]  # noqa: F821 - stands before this text
