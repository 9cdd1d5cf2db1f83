"""A script for the image's own Python, standard library only; its argument is the list of wanted packages, as JSON.

The text of `gate/runtime/import_path.py` stands before it.

A distribution's modules are read from its recorded files, because top_level.txt may be missing.
"""

import base64
import hashlib
import importlib
import importlib.machinery
import json
import os
import re
import site
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any


def canonical(name: str) -> str:
    """A package name in canonical form (PyPA, "Names and normalization"); `packaging` is not in every image."""
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_of(files: Iterable[Any]) -> list[str]:
    """The modules that stand for a distribution, by its recorded files: its top-level packages and modules.

    Of one that adds to a namespace, such as google.cloud, its outermost packages. None, where it has no module.
    """
    code = [file for file in files if file.name.endswith(tuple(SUFFIXES)) and not LIBRARY.fullmatch(file.name)]
    names = [(file, file.name.partition(".")[0]) for file in code]
    packages = {file.parts[:-1] for file, name in names if name == "__init__"}
    found = {".".join(parts) for parts in packages if len(parts) == 1}
    found |= {name for file, name in names if len(file.parts) == 1 and not name.startswith("__")}
    if not found:
        outermost = (parts for parts in packages if not any(parts[:size] in packages for size in range(1, len(parts))))
        found = {".".join(parts) for parts in outermost if all(part.isidentifier() for part in parts)}
    return sorted(found)


def content(path: str) -> bytes:
    """A file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def as_recorded(path: str, recorded: Any) -> bool:
    """Whether a file has its recorded hash."""
    made = hashlib.new(recorded.mode, content(path)).digest()
    return bool(base64.urlsafe_b64encode(made).rstrip(b"=").decode() == recorded.value)


def foreign(files: Iterable[Any]) -> Iterator[str]:
    """Python files of a distribution that differ from its record."""
    for file in files:
        path = os.path.realpath(str(file.locate()))
        if file.suffix == ".py" and file.hash and os.path.exists(path) and not as_recorded(path, file.hash):
            yield path


def hooks(own: list[str]) -> dict[str, str]:
    """The real files, by path, that run before the handler: .pth with imports, sitecustomize, usercustomize.

    Args:
        own: the folders whose .pth files the runtime runs, besides Python's.
    """
    found = {}
    folders = [*own, *site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    for folder in dict.fromkeys(os.path.realpath(each) for each in folders):
        for name in sorted(os.listdir(folder)) if os.access(folder, os.R_OK) else ():
            path = os.path.join(folder, name)
            if name.endswith(".pth") and os.access(path, os.R_OK):
                lines = content(path).decode("utf-8", "replace").splitlines()
                if any(line.startswith(("import ", "import\t")) for line in lines):
                    found[path] = os.path.realpath(path)
    for name in ("sitecustomize", "usercustomize"):
        # Python imports them before the runtime adds its folders.
        module = importlib.machinery.PathFinder.find_spec(name, PYTHONS_OWN)
        if module is not None and module.origin:
            found[module.origin] = os.path.realpath(module.origin)
    return dict(sorted(found.items()))


LIBRARY = re.compile(r"lib[^.]*\.so")  # of C, beside the modules
SUFFIXES = [each for each in importlib.machinery.all_suffixes() if each != ".pyc"]
PYTHONS_OWN = [each for each in sys.path if each]
wanted: set[str] = set(json.loads(sys.argv[1]))
runtimes_own: list[str] = import_as_the_runtime(os.getcwd())  # type: ignore[name-defined]  # noqa: F821
told: dict[str, Any] = {
    "python": sys.version.split()[0],
    "versions": {},
    "unimportable": {},
    "foreign": {},
    "hooks": hooks(runtimes_own),
    "path": [each for each in dict.fromkeys(sys.path) if each not in PYTHONS_OWN],
    "runtime": [],
}
runtime = os.path.realpath(os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime"))
seen: set[str] = set()
for dist in metadata.distributions():
    name = dist.metadata["Name"]
    if not name or canonical(name) in seen:
        continue  # an earlier folder of sys.path has the same package
    seen.add(canonical(name))
    told["versions"][name] = dist.version or ""
    if os.path.realpath(str(dist.locate_file(""))) == runtime:
        told["runtime"].append(name)
    if canonical(name) not in wanted:
        continue
    files = list(dist.files or ())
    # As text: in a zip it is no path of the file system.
    known = {os.path.realpath(str(file.locate())) for file in files}
    others = list(foreign(files))
    modules = modules_of(files) if files else (dist.read_text("top_level.txt") or "").split()
    if not modules and not files:
        told["unimportable"][name] = "it has no record of its files"
    for top in modules:
        try:
            origin = getattr(importlib.import_module(top), "__file__", None)
        except BaseException as error:
            told["unimportable"][name] = f"{top}: {type(error).__name__}: {error}"
            continue
        if origin and os.path.realpath(origin) not in known:
            others.append(os.path.realpath(origin))
    if others:
        told["foreign"][name] = others
# gate.engine.script puts the definition of `answer` before this script.
globals()["answer"](told)
