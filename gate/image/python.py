"""What the image's own Python knows: its version, its packages, and whether they and the handler import."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gate.engine.answer import Told, ask
from gate.errors import ImageUnavailable
from gate.image.packages import Installed, canonical_name
from gate.judgement import ACCEPTED, Judgement, judge, reject
from gate.runtime.frames import IMPORTING, frames_of, own_line

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([^'.]+)")
# Runs in the image, on its Python, with nothing but the standard library. Top-level modules come from the
# files that a distribution recorded, so that a package without top_level.txt is imported too.
_INSPECT = """
import importlib, importlib.metadata as md, json, sys
versions, unimportable = {}, {}
wanted = set(json.loads(sys.argv[1]))
for dist in md.distributions():
    name = dist.metadata["Name"]
    if not name:
        continue
    if name in versions:
        continue  # an earlier folder of sys.path hides it
    versions[name] = dist.version
    key = name.lower().replace("_", "-").replace(".", "-")
    if key not in wanted:
        continue
    tops = set()
    for f in dist.files or ():
        parts = f.parts
        if len(parts) > 1 and parts[1] == "__init__.py":
            tops.add(parts[0])
        elif len(parts) == 1 and f.suffix == ".py":
            tops.add(f.stem)
    if not tops:
        unimportable[name] = "it recorded no module"
    for top in sorted(tops):
        try:
            importlib.import_module(top)
        except BaseException as error:
            unimportable[name] = f"{top}: {type(error).__name__}: {error}"
answer({"python": sys.version.split()[0], "versions": versions, "unimportable": unimportable})
"""


@dataclass(frozen=True)
class Interpreter:
    """The image's Python: its version and packages."""

    version: str
    packages: Installed


def inspect_python(host: Any, wanted: list[str], task_root: str) -> Interpreter:
    """Ask the image's Python (`host` is testinfra's), from the task root: packages beside the handler are found too.

    Raises:
        ImageUnavailable: there is no Python, or it gave no answer.
    """
    fields = {"python": str, "versions": dict, "unimportable": dict}
    answer = _ask(host, _INSPECT, json.dumps([canonical_name(name) for name in wanted]), task_root, fields)
    check = host.run("cd %s && python3 -m pip check", task_root)
    # Exit code 1 with lines is pip's "there are conflicts"; any other failure counts as a conflict too.
    text = (check.stdout + check.stderr).strip()
    conflicts = () if check.rc == 0 else tuple(text.splitlines()) or (f"pip check ended with exit code {check.rc}",)
    by_name = {canonical_name(name): version for name, version in answer["versions"].items()}
    broken = {canonical_name(name): error for name, error in answer["unimportable"].items()}
    return Interpreter(answer["python"], Installed(by_name, broken, conflicts))


@dataclass(frozen=True)
class HandlerImport:
    """What importing the handler came to.

    Attributes:
        line: the deepest line of the image's own code that a failed import came from; "" when there is none.
    """

    handler: str
    callable: bool
    error: str
    line: str = ""


def import_handler(host: Any, handler: str, task_root: str) -> HandlerImport:
    """Import the handler as the runtime does, from the task root.

    Raises:
        ImageUnavailable: the image's Python cannot be started.
    """
    told = ask(host, IMPORTING, [handler, task_root], task_root)
    if told.started and told.answer is None:
        # Python itself runs: it was the import that ended it, or that never ended.
        said = f"; its last words: {told.said.strip()[-300:]}" if told.said.strip() else ""
        return HandlerImport(handler, False, f"importing it gave no answer: {told.end}{said}")
    answer = _held(told, {"callable": bool, "error": str, "frames": list, "packages": list})
    line = own_line(frames_of(answer["frames"]), task_root, answer["packages"])
    return HandlerImport(handler, answer["callable"], answer["error"], line)


def _ask(host: Any, script: str, argument: str, folder: str, fields: Mapping[str, type]) -> dict[str, Any]:
    return _held(ask(host, script, [argument], folder), fields)


def _held(told: Told, fields: Mapping[str, type]) -> dict[str, Any]:
    """The answer, if it has these fields."""
    if told.answer is not None and all(isinstance(told.answer.get(name), kind) for name, kind in fields.items()):
        return told.answer
    raise ImageUnavailable(
        f"the image's Python gave no answer ({told.end}): {told.said.strip()[-400:]!r}",
        where="python3 in the image",
        remedy="see that python3 is on PATH in the image and starts",
    )


@judge(1, known_bad=lambda: (HandlerImport("main.handler", False, "ModuleNotFoundError: No module named 'main'"),))
def handler_imports(found: HandlerImport) -> Judgement:
    """The handler is a function that the runtime can call."""
    if found.callable:
        return ACCEPTED
    at = f", at {found.line}" if found.line else ""
    return reject(
        f"the handler {found.handler} cannot be imported: {found.error or 'it is not callable'}{at}",
        where=found.handler,
        remedy=_way_out(found),
    )


def _way_out(found: HandlerImport) -> str:
    absent = _NO_MODULE.match(found.error)
    if absent and absent[1] != found.handler.partition(".")[0]:
        return f"add the package that brings {absent[1]} to requirements.in, lock it, and build again"
    if absent or not found.error or found.error.startswith("AttributeError"):
        return "compare CMD with the module's path below the task root, and with the function's name in it"
    return "correct what the module does when it is imported"


@judge(6, known_bad=lambda: ("3.12.1", "3.11"))
def python_is(version: str, wanted: str) -> Judgement:
    """The function's Python is the agreed one, as major.minor."""
    if version.split(".")[:2] == wanted.split("."):
        return ACCEPTED
    return reject(f"the image's Python is {version or 'unknown'}, and {wanted} is agreed", "python3 in the image",
                  "build on a base with that Python, or agree on another in pytest.ini (python_version)")  # fmt: skip
