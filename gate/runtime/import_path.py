"""Makes Python's import path that of the runtime, by the image's own bootstrap.py.

This text stands before scripts of the gate that the image's own Python runs, so it imports the standard library alone.
AWS's base images state in two functions of /var/runtime/bootstrap.py where modules are looked for (task root, layers'
folders, the runtime's own packages) and in which of these folders .pth files run.
"""

import ast
import os
import sys
from typing import Any

FUNCTIONS = ("set_default_sys_path", "add_default_site_directories")


def bootstrap_functions(path: str) -> "dict[str, Any]":
    """The functions of a bootstrap.py, without running the rest of it; empty unless it has both that are wanted."""
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return {}
    # Decorators and defaults would be evaluated here, and may need what is left out.
    functions = (each for each in tree.body if isinstance(each, ast.FunctionDef))
    tree.body = [each for each in functions if not each.decorator_list and not each.args.defaults]
    if not {*FUNCTIONS} <= {getattr(each, "name", "") for each in tree.body}:
        return {}
    found = {name: __import__(name) for name in ("os", "site", "sys")}
    exec(compile(tree, path, "exec"), found)  # noqa: S102 # nosec B102: the base's own code, in the image's container
    return found


def import_as_the_runtime(root: str) -> "list[str]":
    """Search for modules where the runtime does; returns the folders whose .pth files run, besides Python's own."""
    folder = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    found = bootstrap_functions(os.path.join(folder, "bootstrap.py"))
    # `python3 -c` puts "" first, the current folder; a script is run with its own folder.
    known = sys.path[:] = [each for each in sys.path if each]
    if not found:
        sys.path.insert(0, root)
        return []
    os.environ["LAMBDA_TASK_ROOT"] = root
    found["set_default_sys_path"]()
    own = [each for each in sys.path if each not in known]
    sys.path.insert(len(own), folder)
    found["add_default_site_directories"]()
    return own
