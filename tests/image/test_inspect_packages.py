"""What the image's Python is asked, on this Python: what runs is what was recorded; what starts with it is listed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import venv

import pytest

from gate.image.python import _INSPECT

# The script is given `answer` by what runs it in the image (gate.engine.script).
SCRIPT = "import json\ndef answer(value):\n    print(json.dumps(value))\n" + _INSPECT.read_text(encoding="utf-8")


def package(folder, name="mine", **files):
    """An installed package of these modules, with its record."""
    root = folder / "packages"
    lines = []
    for module, text in files.items():
        path = root / name / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name}/{module}.py,sha256={digest},{len(text)}")
    info = root / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("\n".join(lines) + "\n")
    return root


def asked(folder, *paths, python=sys.executable):
    """The answer of a Python that finds packages in these folders, standing in the first."""
    done = subprocess.run(
        [python, "-c", SCRIPT, '["mine"]'],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def task(tmp_path):
    """An empty task root."""
    (tmp_path / "task").mkdir()
    return tmp_path / "task"


def test_a_package_that_runs_as_it_was_recorded_has_nothing_foreign(task, tmp_path):
    """Also where its folder is reached by a link."""
    root = package(tmp_path, __init__="x = 1\n", more="y = 2\n")
    (tmp_path / "linked").symlink_to(root)
    for path in (root, tmp_path / "linked"):
        answer = asked(task, path)
        assert (answer["versions"]["mine"], answer["unimportable"], answer["foreign"]) == ("1.0", {}, {})


@pytest.mark.parametrize("shadow", ["mine.py", "mine/__init__.py"])
def test_another_module_before_it_is_told(task, tmp_path, shadow):
    """In the task root, which Python looks through first."""
    root = package(tmp_path, __init__="x = 1\n")
    (task / shadow).parent.mkdir(exist_ok=True)
    (task / shadow).write_text("x = 2\n")
    assert asked(task, root)["foreign"] == {"mine": [str(task / shadow)]}


@pytest.mark.parametrize("module", ["__init__", "more"])
def test_an_edited_module_is_told(task, tmp_path, module):
    """Whether it is imported at once or later; one that is gone was spared."""
    root = package(tmp_path, __init__="x = 1\n", more="y = 2\n", spared="")
    (root / "mine" / "spared.py").unlink()
    (root / "mine" / f"{module}.py").write_text("x = 3\n")
    assert asked(task, root)["foreign"] == {"mine": [str(root / "mine" / f"{module}.py")]}


def test_a_module_that_fails_is_told_with_its_error(task, tmp_path):
    """And is no foreign one."""
    answer = asked(task, package(tmp_path, __init__="raise RuntimeError('no')\n"))
    assert answer["unimportable"] == {"mine": "mine: RuntimeError: no"}
    assert answer["foreign"] == {}


def test_what_python_starts_with_is_listed(task, tmp_path):
    """A .pth file that imports and sitecustomize, by path and digests; one that only names a folder runs nothing."""
    venv.create(tmp_path / "env", with_pip=False)
    (packages,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (packages / "folder.pth").write_text("/opt/x\n# import nothing\n")
    (packages / "code.pth").write_text("/opt/x\nimport os; os.getpid()\n")
    (packages / "sitecustomize.py").write_text("")
    hooks = asked(task, python=str(tmp_path / "env" / "bin" / "python"))["hooks"]
    assert [hook["path"] for hook in hooks] == [str(packages / "code.pth"), str(packages / "sitecustomize.py")]
    content = (packages / "code.pth").read_bytes()
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" in hooks[0]["digests"]
