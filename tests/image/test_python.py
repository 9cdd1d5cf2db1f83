"""What the image's Python is asked, its answers, and the checks of them; the script is run on this Python."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import venv
from collections import namedtuple

import pytest

from gate.errors import ImageUnavailable
from gate.image.package_records import PackageRecords
from gate.image.packages import InstalledPackages
from gate.image.python import (
    _INSPECT,
    HandlerImport,
    handler_imports,
    import_handler,
    inspect_python,
    marker_environment,
    python_is,
    starts_nothing_foreign,
)
from tests.image.archive import layer, read_layers
from tests.image.results import said

Answer = namedtuple("Answer", "rc stdout stderr")
NO_CONFLICT = Answer(0, "No broken requirements found.", "")


def supervised(said, arguments):
    """What comes out of the container when the supervisor runs; code 127: the supervisor cannot be started."""
    if said.rc == 127:
        return said
    mark = json.loads(arguments[-1])["mark"]
    told = {"answer": said.stdout, "late": False, "large": False, "exit": said.rc, "printed": said.stderr}
    return Answer(0, f"a wrapper's banner\n{mark}{json.dumps(told)}{mark}\n", "")


class Host:
    """Answers as an image's Python would: `said` to python3 -c, `check` to pip check."""

    def __init__(self, said, check=NO_CONFLICT):
        self.said, self.check, self.asked = said, check, []

    def run(self, command, *arguments):
        """The answer to a command, which is remembered."""
        self.asked.append(arguments)
        return self.check if "pip check" in command else supervised(self.said, arguments)


KNOWN = (
    '{"python": "3.11.9", "versions": {"Typing_Extensions": "4.1"}, "unimportable": {"A.B": "ImportError: x"},'
    ' "foreign": {"A.B": ["/var/task/a.py"]},'
    ' "hooks": {"/l/x.pth": "/e/x.pth"}, "path": ["/var/task"]}'
)


def test_what_the_images_python_says_is_read():
    """Names become canonical."""
    host = Host(Answer(0, KNOWN, ""))
    found = inspect_python(host, ["A.B"], "/var/task")
    assert found.version == "3.11.9"
    assert found.packages == InstalledPackages(
        {"typing-extensions": "4.1"}, {"a-b": "ImportError: x"}, (), {"a-b": ("/var/task/a.py",)}
    )
    assert found.hooks == {"/l/x.pth": "/e/x.pth"}
    assert {asked[0] for asked in host.asked} == {"/var/task"}
    assert json.loads(host.asked[0][-1])["arguments"] == ['["a-b"]']


@pytest.mark.parametrize(
    ("check", "conflicts"),
    [
        (Answer(1, "a needs b\nc needs d\n", "WARNING: the cache is off"), ("a needs b", "c needs d")),
        (Answer(2, "", ""), ("it ended with exit code 2",)),
        (Answer(1, "", "Traceback:\n  a line\nError: why\n"), ("it ended with exit code 1: Error: why",)),
        (Answer(0, "No broken requirements found.\n", "WARNING: the cache is off"), ()),
    ],
)
def test_whatever_pip_check_objects_to_is_a_conflict(check, conflicts):
    """Each line of its list is one; so is a failure without a list, told by its last line."""
    assert inspect_python(Host(Answer(0, KNOWN, ""), check), [], "/var/task").packages.conflicts == conflicts


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(127, "", "python3: not found"), "exit code 127): 'python3: not found'"),
        (Answer(1, "no json", "why"), "(exit code 1): 'why'"),
        (Answer(1, "", "x" * 500 + "end"), "'" + "x" * 397 + "end'"),
        (Answer(0, "[]", ""), "(exit code 0): ''"),
        (Answer(0, KNOWN.replace('"unimportable"', '"other"'), ""), "did not answer"),
        (Answer(0, KNOWN.replace('"3.11.9"', "3.11"), ""), "did not answer"),
        (Answer(0, '{"python": "3.11", "versions": [], "unimportable": {}}', ""), "did not answer"),
        (Answer(0, '{"python": "3.11", "versions": {}, "unimportable": []}', ""), "did not answer"),
        (Answer(0, KNOWN.replace('"hooks"', '"other"'), ""), "did not answer"),
        (Answer(0, KNOWN.replace('{"/l/x.pth": "/e/x.pth"}', '["/l/x.pth"]'), ""), "did not answer"),
        (Answer(0, "[" * 5000, ""), "did not answer"),
    ],
)
def test_a_python_without_an_answer_is_told_with_what_it_said(answer, words):
    """An image without a working Python is an error, never an empty list of packages."""
    with pytest.raises(ImageUnavailable) as told:
        inspect_python(Host(answer), [], "/var/task")
    assert words in str(told.value)


def test_the_handler_is_imported_from_the_task_root():
    """As the runtime does."""
    host = Host(Answer(0, '{"callable": true, "error": "", "frames": [], "packages": []}', ""))
    assert import_handler(host, "main.run", "/var/task") == HandlerImport("main.run", True, "")
    assert host.asked[0][0] == "/var/task"
    assert json.loads(host.asked[0][-1])["arguments"] == ["main.run", "/var/task"]


@pytest.mark.parametrize(
    "answer",
    [
        '{"callable": 1, "error": "", "frames": [], "packages": []}',
        '{"callable": true, "error": null, "frames": [], "packages": []}',
        '{"callable": true, "error": "", "frames": {}, "packages": []}',
        '{"callable": true, "error": "", "frames": []}',
        "{}",
    ],
)
def test_an_answer_about_the_handler_of_another_kind_is_none(answer):
    """Other JSON, which the image's code may print, is refused."""
    with pytest.raises(ImageUnavailable, match="did not answer"):
        import_handler(Host(Answer(0, answer, "")), "main.run", "/var/task")


def test_an_import_that_ends_python_is_told_as_what_it_is():
    """A crash is blamed on the import, because Python itself has started."""
    found = import_handler(Host(Answer(139, "", "loading\nlibrary.so")), "main.run", "/var/task")
    assert "the import did not return: exit code 139; its last output: loading library.so" in said(
        handler_imports(found)
    )


def test_a_failed_import_is_told_with_its_line():
    """The innermost line of the image's own code follows the exception."""
    line = "/var/task/src/main.py:7: `LOCK = multiprocessing.Lock()`"
    found = HandlerImport("src.main.run", False, "FileNotFoundError: [Errno 2] No such file or directory", line)
    assert f"No such file or directory, at {line}" in said(handler_imports(found))


@pytest.mark.parametrize("error", ["ImportError: x", ""])
def test_a_handler_that_cannot_be_called_is_refused(error):
    """With its error, or because it is not callable."""
    assert handler_imports(HandlerImport("main.run", True, "")).accepted
    assert (error or "it is not callable") in said(handler_imports(HandlerImport("main.run", False, error)))


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        ("", "compare CMD"),
        ("ModuleNotFoundError: No module named 'src'", "compare CMD"),
        ("ModuleNotFoundError: No module named 'src.main'", "compare CMD"),
        ("AttributeError: module 'src.main' has no attribute 'run'", "compare CMD"),
        ("ModuleNotFoundError: No module named 'selenium'", "add the package that brings selenium to requirements.in"),
        ("ModuleNotFoundError: No module named 'srcs.x'", "add the package that brings srcs to"),
        ("RuntimeError: the configuration is gone", "correct what the module does when it is imported"),
    ],
)
def test_the_way_out_of_a_failed_import_is_that_of_its_error(error, way_out):
    """CMD is blamed only for a wrong path."""
    (only,) = handler_imports(HandlerImport("src.main.run", False, error)).rejections
    assert only.remedy.startswith(way_out)


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("3.11.9", True), ("3.11", True), ("3.12.1", False), ("3.1.1", False), ("3.110", False), ("", False)],
)
def test_the_version_of_python_is_compared_by_its_first_two_parts(version, accepted):
    """3.1 and 3.110 are not 3.11."""
    assert python_is(version, "3.11").accepted is accepted


def test_the_markers_environment_is_the_images_own():
    """It is read from the image's Python."""
    assert marker_environment(Host(Answer(0, '{"environment": {"os_name": "posix"}}', ""))) == {"os_name": "posix"}
    with pytest.raises(ImageUnavailable, match="did not answer"):
        marker_environment(Host(Answer(0, '{"environment": []}', "")))


@pytest.mark.parametrize(
    ("path", "file", "accepted"),
    [
        ("/l/known.pth", "/l/known.pth", True),
        ("/l/linked.pth", "/l/known.pth", True),
        ("/l/based.pth", "/l/based.pth", True),
        ("/l/again.pth", "/l/again.pth", True),
        ("/l/stated.pth", "/l/stated.pth", True),
        ("/l/evil.pth", "/l/evil.pth", False),
        ("/l/edited.pth", "/l/edited.pth", False),
        ("/l/other.pth", "/l/other.pth", False),
        ("/l/nowhere.pth", "/l/nowhere.pth", False),
    ],
)
def test_what_python_starts_with_is_recorded_the_bases_or_stated(path, file, accepted):
    """A file of the same name with other content is refused, and one that is in no layer."""
    base = layer({"/l/based.pth": b"import a", "/l/again.pth": b"import b", "/l/other.pth": b"import c"})
    own = {f"/l/{name}.pth": b"import x" for name in ("known", "edited", "evil", "other")}
    recorded = f"sha256:{hashlib.sha256(b'import x').hexdigest()}"
    records = PackageRecords({"/l/known.pth": frozenset({recorded}), "/l/edited.pth": frozenset({"sha256:9"})})
    layers = read_layers([base, layer({**own, "/l/again.pth": b"import b"})], records, base=1)
    result = starts_nothing_foreign({path: file}, layers, 1, ("/l/stated.pth",))
    assert result.accepted is accepted
    assert accepted or f"Python runs {path} whenever it starts" in said(result)
    assert not starts_nothing_foreign({"/l/based.pth": "/l/based.pth"}, layers, 0, ()).accepted


# The script is given `answer` by what runs it in the image (gate.engine.script).
SCRIPT = "import json\ndef answer(value):\n    print(json.dumps(value))\n" + _INSPECT


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
    """Also if its folder is a link."""
    root = package(tmp_path, __init__="x = 1\n", more="y = 2\n")
    (tmp_path / "linked").symlink_to(root)
    for path in (root, tmp_path / "linked"):
        answer = asked(task, path)
        assert (answer["versions"]["mine"], answer["unimportable"], answer["foreign"]) == ("1.0", {}, {})


@pytest.mark.parametrize("shadow", ["mine.py", "mine/__init__.py"])
def test_another_module_before_it_is_told(task, tmp_path, shadow):
    """In the task root, which Python searches first."""
    root = package(tmp_path, __init__="x = 1\n")
    (task / shadow).parent.mkdir(exist_ok=True)
    (task / shadow).write_text("x = 2\n")
    assert asked(task, root)["foreign"] == {"mine": [str(task / shadow)]}


@pytest.mark.parametrize("module", ["__init__", "more"])
def test_an_edited_module_is_told(task, tmp_path, module):
    """Whether it is imported at once or later; a removed module is no difference."""
    root = package(tmp_path, __init__="x = 1\n", more="y = 2\n", spared="")
    (root / "mine" / "spared.py").unlink()
    (root / "mine" / f"{module}.py").write_text("x = 3\n")
    assert asked(task, root)["foreign"] == {"mine": [str(root / "mine" / f"{module}.py")]}


def test_a_module_that_fails_is_told_with_its_error(task, tmp_path):
    """It is listed as unimportable only."""
    answer = asked(task, package(tmp_path, __init__="raise RuntimeError('no')\n"))
    assert answer["unimportable"] == {"mine": "mine: RuntimeError: no"}
    assert answer["foreign"] == {}


def test_what_python_starts_with_is_listed(task, tmp_path):
    """A .pth file that imports and sitecustomize, by path; one that only names a folder runs nothing."""
    venv.create(tmp_path / "env", with_pip=False)
    (packages,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (packages / "folder.pth").write_text("/opt/x\n# import nothing\n")
    (packages / "code.pth").write_text("/opt/x\nimport os; os.getpid()\n")
    (packages / "sitecustomize.py").write_text("")
    hooks = asked(task, python=str(tmp_path / "env" / "bin" / "python"))["hooks"]
    assert hooks == {str(packages / name): str(packages / name) for name in ("code.pth", "sitecustomize.py")}


BOOTSTRAP = """
import os, site, sys
import no_such_runtime
def with_a_default(value=no_such_runtime.VALUE): return value
def folders(): return [] if "PYTHONPATH" in os.environ else [LAYERS]
def set_default_sys_path(): sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *folders()]
def add_default_site_directories():
    for each in [os.environ["LAMBDA_TASK_ROOT"], *folders()]: site.addsitedir(each)
no_such_runtime.main()
"""


@pytest.fixture
def runtime(tmp_path):
    """The runtime's folder, with a bootstrap.py as AWS's base images have it, and a package of its own."""
    package(tmp_path, "mine", __init__="x = 1\n")
    (tmp_path / "packages" / "bootstrap.py").write_text(BOOTSTRAP.replace("LAYERS", repr(str(tmp_path / "layers"))))
    return tmp_path / "packages"


def asked_in(task, runtime):
    """The answer of a Python in a base with this runtime."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = [sys.executable, "-c", SCRIPT, '["mine"]']
    env = {**kept, "LAMBDA_RUNTIME_DIR": str(runtime)}
    done = subprocess.run(run, cwd=task, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_packages_are_found_where_the_runtime_finds_them(task, tmp_path, runtime):
    """In the runtime's own folder, and before it in a layer's, which Python alone does not search."""
    answer = asked_in(task, runtime)
    assert (answer["versions"]["mine"], answer["foreign"], answer["unimportable"]) == ("1.0", {}, {})
    assert answer["path"] == [str(task), str(tmp_path / "layers"), str(runtime)]
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "mine.py").write_text("x = 2\n")
    assert asked_in(task, runtime)["foreign"] == {"mine": [str(tmp_path / "layers" / "mine.py")]}
    (runtime / "bootstrap.py").write_text("no_such_runtime.main()\n")
    assert "mine" not in asked_in(task, runtime)["versions"]


def test_a_pth_file_that_the_runtime_runs_is_listed(task, tmp_path, runtime):
    """In the task root and in a layer's folder; sitecustomize there comes too late to be run."""
    (tmp_path / "layers").mkdir()
    hooks = [task / "own.pth", tmp_path / "layers" / "layer.pth"]
    for path in hooks:
        path.write_text("import os\n")
    (task / "folder.pth").write_text("lib\n")
    (task / "sitecustomize.py").write_text("")
    found = asked_in(task, runtime)["hooks"]
    assert [path for path in found if path.startswith(str(tmp_path))] == sorted(map(str, hooks))


@pytest.mark.parametrize(
    "files",
    [
        ["ns/cloud/mine/__init__.py", "ns/cloud/mine/more.py"],
        ["mine.cpython-311-x86_64-linux-gnu.so.py", "libmine.so", "__main__.py"],
        ["mine-stubs/__init__.pyi"],
        ["mine-1.0.data/scripts/tool"],
    ],
    ids=["a namespace", "beside a library and a program", "type stubs", "no module at all"],
)
def test_a_package_of_another_layout_can_be_imported(task, tmp_path, files):
    """Its record says what there is to import, if anything."""
    root = package(tmp_path, **{"x": ""})
    (root / "mine" / "x.py").unlink()
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("")
    (root / "mine-1.0.dist-info" / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    assert {key: asked(task, root)[key] for key in ("unimportable", "foreign")} == {"unimportable": {}, "foreign": {}}


def test_a_broken_namespace_package_or_one_without_a_record_is_told(task, tmp_path):
    """The module that fails is named; without a record nothing says what the package is."""
    root = package(tmp_path, name="mine", __init__="")
    (root / "mine" / "deep").mkdir()
    (root / "mine" / "__init__.py").unlink()
    (root / "mine" / "deep" / "__init__.py").write_text("raise RuntimeError('no')\n")
    (root / "mine-1.0.dist-info" / "RECORD").write_text("mine/deep/__init__.py,,\n")
    assert asked(task, root)["unimportable"] == {"mine": "mine.deep: RuntimeError: no"}
    (root / "mine-1.0.dist-info" / "RECORD").unlink()
    assert asked(task, root)["unimportable"] == {"mine": "it has no record of its files"}
