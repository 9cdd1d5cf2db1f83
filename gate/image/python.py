"""The image's Python: its version, packages and start-up hooks, and whether the handler can be imported."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.engine.script import ScriptResult, run_script
from gate.errors import ImageUnavailable
from gate.image.layers import Layer, Layers
from gate.image.package_records import PackageRecords, rpm_records
from gate.image.packages import InstalledPackages
from gate.image.tree import ImageFile
from gate.runtime.tracebacks import IMPORT_HANDLER, IMPORT_PATH, frames_of, own_line

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([^'.]+)")
_INSPECT = IMPORT_PATH + Path(__file__).with_name("inspect_packages.py").read_text(encoding="utf-8")
# Prints the environment of markers (PyPA, "Dependency specifiers", "Environment markers").
_ENVIRONMENT = """
import json, os, platform, sys
i = sys.implementation
v = "{0.major}.{0.minor}.{0.micro}".format(i.version)
if i.version.releaselevel != "final":
    v += i.version.releaselevel[0] + str(i.version.serial)
answer({"environment": {
    "implementation_name": i.name, "implementation_version": v, "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(), "platform_release": platform.release(),
    "platform_system": platform.system(), "platform_version": platform.version(), "sys_platform": sys.platform,
    "python_full_version": platform.python_version(), "python_version": ".".join(platform.python_version_tuple()[:2]),
    "extra": ""}})
"""


@dataclass(frozen=True)
class Interpreter:
    """The image's Python: its version, its packages, and the real files that it runs when it starts, by their path."""

    version: str
    packages: InstalledPackages
    hooks: Mapping[str, str] = field(default_factory=dict)


def inspect_python(host: Any, wanted: list[str], task_root: str) -> Interpreter:
    """Ask the image's Python, which finds packages where the runtime does.

    Args:
        host: testinfra's, as the user that Lambda runs as.
        wanted: the packages to import.
        task_root: the folder of the handler.

    Raises:
        ImageUnavailable: there is no Python, or it does not answer.
    """
    fields = {"python": str, "versions": dict, "unimportable": dict, "foreign": dict, "hooks": dict, "path": list}
    answer = _ask(host, _INSPECT, json.dumps([canonicalize_name(name) for name in wanted]), task_root, fields)
    check = "cd %s && PYTHONPATH=%s${PYTHONPATH:+:$PYTHONPATH} python3 -m pip check"
    conflicts = _conflicts(host.run(check, task_root, ":".join(map(str, answer["path"]))))
    versions, broken, foreign = (
        {str(canonicalize_name(name)): value for name, value in answer[key].items()}
        for key in ("versions", "unimportable", "foreign")
    )
    installed = InstalledPackages(
        versions, broken, conflicts, {name: tuple(map(str, files)) for name, files in foreign.items()}
    )
    return Interpreter(answer["python"], installed, {str(path): str(file) for path, file in answer["hooks"].items()})


def _conflicts(said: Any) -> tuple[str, ...]:
    """What pip check objects to, a line each; a pip that fails without a list is a conflict by its last line."""
    if said.rc == 0:
        return ()
    last = said.stderr.strip().splitlines()[-1:]
    ended = ": ".join([f"it ended with exit code {said.rc}", *last])
    return tuple(said.stdout.strip().splitlines()) or (ended,)


def marker_environment(host: Any) -> dict[str, str]:
    """The environment of requirement markers, from the image's own Python.

    Raises:
        ImageUnavailable: the image's Python does not answer.
    """
    answer = _ask(host, _ENVIRONMENT, "", "/", {"environment": dict})
    return {str(name): str(value) for name, value in answer["environment"].items()}


def rpm_records_of(host: Any) -> PackageRecords:
    """What rpm recorded of the image's files. Only the image's own rpm can read its database."""
    return rpm_records(host.run("rpm --query --all --dump").stdout)


def _known_bad_hooks() -> tuple[Mapping[str, str], Layers, int, tuple[str, ...]]:
    path = "/var/lang/lib/python3.11/site-packages/evil.pth"
    return {path: path}, Layers((Layer(), Layer({path: ImageFile(path, "file", digest="sha256:0")}))), 1, ()


@check(6, known_bad=_known_bad_hooks)
def starts_nothing_foreign(
    hooks: Mapping[str, str], layers: Layers, base_layers: int, stated: Sequence[str]
) -> CheckResult:
    """Every file that Python runs when it starts belongs to a package or the base, or is stated.

    Args:
        hooks: the real files of .pth files with code, sitecustomize and usercustomize, by their path.
        layers: of the image, as they are pushed.
        base_layers: how many of them, the lowest, are the base's.
        stated: the paths in pytest.ini (startup_hooks).
    """
    return CheckResult.of(
        Rejection(
            f"Python runs {path} whenever it starts, and no package recorded it",
            where=file,
            remedy="leave it out of the image, or have it reviewed and state its path in startup_hooks (pytest.ini)",
        )
        for path, file in hooks.items()
        if path not in stated and not _is_known(layers.files().get(file), layers, layers.files(base_layers).get(file))
    )


def _is_known(file: ImageFile | None, layers: Layers, base: ImageFile | None) -> bool:
    """Whether a file of the image is the base's own, the same as it, or as its package recorded it."""
    if file is None or file is base:
        return file is not None
    return bool(file.digest) and (
        layers.records.confirms(file.path, file.digest) or (base is not None and file.digest == base.digest)
    )


@dataclass(frozen=True)
class HandlerImport:
    """The result of importing the handler.

    Attributes:
        line: the innermost line of the image's own code in the traceback of a failed import; "" for none.
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
    told = run_script(host, IMPORT_HANDLER, [handler, task_root], task_root)
    if told.started and told.answer is None:
        # Python itself has started, so the import ended the process or did not end.
        said = f"; its last output: {told.printed.strip()[-300:]}" if told.printed.strip() else ""
        return HandlerImport(handler, False, f"the import did not return: {told.failure}{said}")
    answer = _checked(told, {"callable": bool, "error": str, "frames": list, "packages": list})
    line = own_line(frames_of(answer["frames"]), task_root, answer["packages"])
    return HandlerImport(handler, answer["callable"], answer["error"], line)


def _ask(host: Any, script: str, argument: str, folder: str, fields: Mapping[str, type]) -> dict[str, Any]:
    return _checked(run_script(host, script, [argument], folder), fields)


def _checked(told: ScriptResult, fields: Mapping[str, type]) -> dict[str, Any]:
    """The answer, which must have these fields."""
    if told.answer is not None and all(isinstance(told.answer.get(name), kind) for name, kind in fields.items()):
        return told.answer
    raise ImageUnavailable(
        f"the image's Python did not answer ({told.failure}): {told.printed.strip()[-400:]!r}",
        where="python3 in the image",
        remedy="make sure that python3 is on PATH in the image and starts",
    )


@check(1, known_bad=lambda: (HandlerImport("main.handler", False, "ModuleNotFoundError: No module named 'main'"),))
def handler_imports(found: HandlerImport) -> CheckResult:
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


@check(6, known_bad=lambda: ("3.12.1", "3.11"))
def python_is(version: str, wanted: str) -> CheckResult:
    """The function's Python is the agreed one, as major.minor."""
    if version.split(".")[:2] == wanted.split("."):
        return ACCEPTED
    return reject(
        f"the image's Python is {version or 'unknown'}, and {wanted} is agreed",
        "python3 in the image",
        "build on a base with that Python, or agree on another in pytest.ini (python_version)",
    )
