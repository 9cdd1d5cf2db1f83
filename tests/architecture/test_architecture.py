"""The architecture that docs/architecture.md describes: import directions, no circle, unique names, sizes."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("gate", "localaws", "steps", "bench", "setup")
# A module reads best at 100 to 250 lines; what is longer is two modules.
MOST_LINES = 250
# Where a run is connected to its target.
TARGET = "gate.run.connections"


def _modules():
    """Each Python module of the product with its syntax tree, by its dotted name."""
    found = {}
    for path in sorted(each for folder in FOLDERS for each in (ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


MODULES = _modules()


def _imports(name, tree):
    """The modules of the product that this one imports anywhere, for types alone included."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return {each for each in found if each in MODULES and each != name}


IMPORTS = {name: _imports(name, tree) for name, (_, tree) in MODULES.items()}


@pytest.mark.parametrize(
    ("folder", "never"),
    [("gate", ("steps", "localaws", "bench", "tests")), ("localaws", ("steps", "bench", "tests")),
     ("steps", ("localaws", "bench", "tests")), ("setup", ("gate", "steps", "localaws"))],
)  # fmt: skip
def test_imports_go_one_way(folder, never):
    """From features to steps to gate; one module of the gate reaches the local target: where the target is chosen."""
    wrong = [f"{name} imports {each}" for name, imported in IMPORTS.items() if name.split(".")[0] == folder
             and name != TARGET for each in imported if each.split(".")[0] in never]  # fmt: skip
    assert wrong == []


def test_steps_use_the_gate_and_no_sdk():
    """A step neither asks AWS nor the Docker engine itself."""
    for name, (_, tree) in MODULES.items():
        if name.startswith("steps."):
            tops = {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            tops |= {
                a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
            }
            assert tops & {"boto3", "botocore", "docker"} == set(), name


def test_every_client_of_aws_is_made_with_the_one_configuration():
    """How often it asks and how long it waits is said in gate/aws/retry.py alone."""
    where = {name for name, (_, tree) in MODULES.items() if name.startswith("gate.") for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom) and node.module == "botocore.config"}  # fmt: skip
    assert where == {"gate.aws.retry"}
    made = [(name, node) for name, (_, tree) in MODULES.items() if name.startswith("gate.") for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and re.search(r"session(\(\))?\.client$|\.create_client$", ast.unparse(node.func))]  # fmt: skip
    assert {name for name, _ in made} == {"gate.admit", "gate.publish.release_client", "gate.run.preflight"}
    assert [name for name, call in made if "config" not in {each.arg for each in call.keywords}] == []
    using = {name for name, imported in IMPORTS.items() if "gate.aws.retry" in imported}
    assert {name for name, _ in made} <= using


def test_no_import_goes_in_a_circle():
    """Also where an import serves a type alone."""
    done, path, circles = set(), [], []

    def walk(name):
        if name in path:
            circles.append(" → ".join([*path[path.index(name) :], name]))
        elif name not in done:
            path.append(name)
            for each in sorted(IMPORTS[name]):
                walk(each)
            done.add(path.pop())

    for name in sorted(MODULES):
        walk(name)
    assert circles == []


def test_the_name_of_a_public_class_is_unique():
    """Somebody who searches for a class finds one."""
    names = Counter(node.name for _, tree in MODULES.values() for node in tree.body
                    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))  # fmt: skip
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_has_a_vague_name():
    """No `utils`, no `common`, no `helpers`."""
    assert [name for name in MODULES if name.split(".")[-1] in ("utils", "common", "helpers", "misc")] == []


def test_no_module_is_too_long():
    """One idea each."""
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, (path, _) in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
