"""Feeds Dockerfiles, requirements, configurations and files of an image to their readers and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gate.check import CheckResult
from gate.image.contract import Startup, below, handler_is, names_paths, platform_is, starts_like
from gate.image.dockerfile import bases_approved, from_lines
from gate.image.file_checks import is_program
from gate.image.package_records import LINK
from gate.image.packages import InstalledPackages, no_development_packages, pins_installed
from gate.image.permissions import readable_by_all, used_folders
from gate.image.python import HandlerImport, handler_imports
from gate.image.requirements import pins, read_requirements
from gate.image.secrets.secret_checks import no_secret
from gate.image.tree import ELF_MAGIC, ImageFile, Tree
from tests.image.archive import layer, read_layers

HANDLER = "src.main.lambda_handler"
BASE = "public.ecr.aws/lambda/python:3.11"
# As AWS's own base image has it.
ENV = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
_STARTUP = Startup(ENV, ("/lambda-entrypoint.sh",), "/var/task")
# The markers of the function's Python (PEP 508).
PYTHON = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.9",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "5.10",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
    "extra": "",
}


def dockerfile(_scenario: str, given: dict[str, Any], folder: Path) -> CheckResult:
    """A Dockerfile's `text`, build `arguments`, and further `approved` bases."""
    path = folder / "Dockerfile"
    path.write_text(given["text"], encoding="utf-8")
    return bases_approved(
        from_lines(path, given.get("arguments", {}), "linux/amd64"), (BASE, *given.get("approved", []))
    )


def requirements(_scenario: str, given: dict[str, Any], folder: Path) -> CheckResult:
    """Requirements files by name, `requirements.txt` the first; what is `installed`, and what pip check says of it."""
    for name, text in given["files"].items():
        (folder / name).write_text(text, encoding="utf-8")
    wanted = pins(read_requirements(folder / "requirements.txt"), PYTHON)
    installed = InstalledPackages(given["installed"], given.get("unimportable", {}), tuple(given.get("conflicts", ())))
    return pins_installed(wanted, installed)


def packages(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """The installed packages, and which the release calls development packages."""
    return no_development_packages(given["installed"], given.get("development", ["pytest", "moto", "black"]))


def configuration(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """An image's configuration: `env` (with `unset`), `entrypoint`, `workdir`, `cmd`, `platform`, `bytes`."""
    if scenario == "The agreed handler is the one that Lambda will import":
        failed = given.get("error", "")
        found = HandlerImport(HANDLER, not failed, failed, given.get("line", ""))
        return handler_is(given.get("cmd", [HANDLER]), HANDLER) + handler_imports(found)
    if scenario == "The image is for the platform that the function runs on":
        return platform_is(given["platform"], "linux/amd64")
    if scenario == "The uncompressed image is below Lambda's limit":
        return below(given["bytes"], 10, "uncompressed")
    env = {name: value for name, value in {**ENV, **given.get("env", {})}.items() if name not in given.get("unset", [])}
    image = Startup(env, tuple(given.get("entrypoint", _STARTUP.entrypoint)), given.get("workdir", _STARTUP.workdir))
    return starts_like(image, _STARTUP)


def contents(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """`env`, `history` and `files` (text by path) of an image; `@@` in a text stands for nothing.

    The `@@` keeps what only looks like a key from looking so in this repository.
    """
    env = {name: _whole(value) for name, value in given.get("env", {}).items()}
    texts = {"/var/task/app.py": "x = 1\n", **given.get("files", {})}
    layers = read_layers([layer({path: _whole(text).encode() for path, text in texts.items()})])
    return no_secret(env, [_whole(line) for line in given.get("history", [])], layers, 0)


def _whole(text: str) -> str:
    return text.replace("@@", "")


def files(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """Files by path: their mode; `elf`, `-> target` of a link, or the text of a script; and the browser's variable."""
    entries, texts = {}, {}
    for path, said in given["files"].items():
        mode, _, what = str(said).partition(" ")
        entries[path] = _entry(path, int(mode, 8), what)
        texts[path] = what
    tree = Tree(entries, texts)
    if scenario == "Everything in the image can be read by the user that Lambda runs as":
        return readable_by_all(tree, used_folders(ENV))
    path = given.get("env", {}).get("CHROME_BIN", "/opt/chrome/chrome")
    return names_paths({"CHROME_BIN": path}, {"CHROME_BIN": "/opt/chrome/chrome"}) + is_program(
        tree, "CHROME_BIN", path
    )


def _entry(path: str, mode: int, what: str) -> ImageFile:
    if what.startswith("-> "):
        return ImageFile(path, "symlink", mode, digest=what.replace("-> ", LINK, 1))
    if what == "folder":
        return ImageFile(path, "directory", mode)
    return ImageFile(path, "file", mode, len(what), head=ELF_MAGIC if what == "elf" else what.encode()[:4])
