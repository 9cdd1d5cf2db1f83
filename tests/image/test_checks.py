"""The checks of an image's size, descent, start, Python, packages and secrets: what each lets pass, and what not."""

import json
from collections import namedtuple

import pytest

from gate.errors import ImageUnavailable
from gate.image.contract import Difference, Startup, differences, handler_is, names_paths, starts_like
from gate.image.lineage import STAND_IN_LABEL, descends_from, genuine, platform_is, same_image
from gate.image.packages import Installed, no_development_packages, pins_installed
from gate.image.python import (
    HandlerImport,
    Hook,
    handler_imports,
    import_handler,
    inspect_python,
    marker_environment,
    python_is,
    starts_nothing_foreign,
)
from gate.image.records import Records
from gate.image.size import GB, below
from gate.image.variables import FREE, LISTS, LOADING, RESERVED, loads_code

BASE = Startup({"PATH": "/a:/b", "LANG": "C", "TZ": ":/etc/localtime", "SOME": "1"}, ("/entry.sh", "-x"), "/var/task")
REPOSITORY = "public.ecr.aws/lambda/python"


def said(result):
    """The judgement as text ("" for accepted)."""
    return "\n".join(map(str, result.rejections))


# Size


@pytest.mark.parametrize("size", [1, 10 * GB - 1])
def test_an_image_under_the_limit_is_accepted(size):
    """From one byte to one byte below 10 GB."""
    assert below(size, 10, "uncompressed").accepted


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (10 * GB, "10.00 GB uncompressed, and the limit is 10 GB"),
        (25 * GB, "25.00 GB"),
        (0, "is not known (0 bytes)"),
        (-1, "is not known (-1 bytes)"),
    ],
)
def test_an_image_at_the_limit_or_of_unknown_size_is_refused(size, words):
    """The limit itself is too much, and no size is no small size."""
    assert words in said(below(size, 10, "uncompressed"))


def test_a_gigabyte_is_decimal():
    """Ten billion bytes are the limit, the smaller reading of 10 GB."""
    assert GB == 10**9


# Descent


def test_only_the_functions_own_platform_is_accepted():
    """Both platforms are named."""
    assert platform_is("linux/amd64", "linux/amd64").accepted
    refused = said(platform_is("linux/arm64", "linux/amd64"))
    assert "linux/arm64" in refused
    assert "--platform linux/amd64" in refused


@pytest.mark.parametrize("layers", [("a", "b"), ("a", "b", "c")])
def test_an_image_on_all_layers_of_its_base_descends_from_it(layers):
    """The base itself, and what is built on it."""
    assert descends_from(layers, ("a", "b"), "base:1").accepted


@pytest.mark.parametrize(
    ("layers", "shared"), [((), 0), (("a",), 1), (("b", "a"), 0), (("a", "x", "b"), 1), (("x", "b"), 0)]
)
def test_an_image_on_some_layers_of_its_base_does_not_descend_from_it(layers, shared):
    """The lowest layers count, in their order, up to the first that differs."""
    assert f"{shared} of the base's 2 layers" in said(descends_from(layers, ("a", "b"), "base:1"))


def test_a_base_without_layers_proves_nothing():
    """Everything would descend from it."""
    assert "has no layers" in said(descends_from(("a",), (), "base:1"))


@pytest.mark.parametrize(
    "base", [f"{REPOSITORY}:3.11", REPOSITORY, f"{REPOSITORY}@sha256:1", f"{REPOSITORY}:3.11@sha256:1"]
)
def test_a_base_with_a_digest_in_its_own_repository_is_genuine(base):
    """However it is named; another repository's digest beside its own harms nothing."""
    assert genuine({}, ("elsewhere/python@sha256:1", f"{REPOSITORY}@sha256:1"), base, "real").accepted


def test_the_port_of_a_registry_is_no_tag():
    """A base without a tag, in a registry with a port, is found by its whole name."""
    assert genuine({}, ("registry:5000/python@sha256:1",), "registry:5000/python", "real").accepted
    assert not genuine({}, ("registry@sha256:1",), "registry:5000/python", "real").accepted


@pytest.mark.parametrize("digests", [(), ("elsewhere/python@sha256:1",), (f"{REPOSITORY}-x@sha256:1",)])
def test_a_base_that_no_registry_vouches_for_is_refused(digests):
    """A local tag of the same name is not the approved base."""
    assert f"was not pulled from {REPOSITORY}" in said(genuine({}, digests, f"{REPOSITORY}:3.11", "real"))


def test_a_digest_that_a_local_tag_made_is_no_registrys():
    """In containerd's store, and in Podman's, `docker tag` gives any image a digest under any registry's name."""
    digests = (f"{REPOSITORY}@sha256:1",)
    assert "in this run" in said(genuine({}, digests, f"{REPOSITORY}:3.11", "simulated"))


def test_a_stand_in_is_never_the_approved_base():
    """Not even with a digest."""
    labels = {STAND_IN_LABEL: "true"}
    assert "is a stand-in" in said(genuine(labels, (f"{REPOSITORY}@sha256:1",), f"{REPOSITORY}:3.11", "real"))


@pytest.mark.parametrize(("built", "accepted"), [("sha256:a", True), ("sha256:b", False), ("", False)])
def test_the_built_image_is_the_judged_one(built, accepted):
    """Another image, or none, is refused."""
    assert same_image(built, "sha256:a").accepted is accepted


def test_no_image_is_not_equal_to_no_image():
    """Two unknowns prove nothing."""
    assert "the build left no image" in said(same_image("", ""))


# Start


def started(**env):
    """The base's start with these variables changed; None takes one away."""
    kept = {name: value for name, value in {**BASE.env, **env}.items() if value is not None}
    return Startup(kept, BASE.entrypoint, BASE.workdir)


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"NEW": "1"},
        {"PATH": "/x:/a:/y:/b:/z"},
        {"PATH": "/a/:/b"},
        {"TZ": "Asia/Seoul"},
        {"LANG": "ko_KR.UTF-8"},
        {"LC_ALL": "C"},
        {"PYTHONPATH": "/opt/python"},
        {"PYTHONUNBUFFERED": "1", "AWS_LAMBDA_LOG_LEVEL": "DEBUG", "AWS_DEFAULT_REGION": "ap-northeast-2"},
        {"NODE_OPTIONS": "--max-old-space-size=256 --enable-source-maps"},
        {"JAVA_TOOL_OPTIONS": "-XX:+TieredCompilation -XX:TieredStopAtLevel=1"},
        {"ENV": "production"},
        {"PYTHONWARNINGS": "ignore::DeprecationWarning"},
        {"OPENSSL_CONF": "/dev/null"},
        {"PERL5OPT": "-w"},
        {"HTTPS_PROXY": "http://proxy:3128"},
    ],
)
def test_new_variables_longer_paths_and_what_lambda_leaves_free_harm_nothing(env):
    """The image may add, and what it adds is listed as allowed."""
    assert starts_like(started(**env), BASE).accepted
    assert all(each.allowed for each in differences(started(**env), BASE))


@pytest.mark.parametrize(
    "env",
    [{"LANG": None}, {"PATH": "/a"}, {"PATH": "/b:/a"}, {"PATH": None}, {"PATH": ""}, {"SOME": "2"}, {"SOME": None}],
)
def test_a_changed_or_lost_variable_is_refused(env):
    """PATH keeps the base's folders in their order; a variable that Lambda leaves free may not be lost."""
    (name,) = env
    assert f"leave {name} as the base image sets it" in said(starts_like(started(**env), BASE))


@pytest.mark.parametrize(
    ("name", "value", "does"),
    [
        ("LD_PRELOAD", "/opt/x.so", "loads a library into every program"),
        ("LD_AUDIT", "x.so", "loads a library"),
        ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper", "in the place of the runtime"),
        ("PYTHONSTARTUP", "/x.py", "runs a file"),
        ("PYTHONHOME", "/opt/python", "standard library"),
        ("PYTHONINSPECT", "1", "lets Python wait"),
        ("PYTHONUSERBASE", "/opt/u", ".pth files"),
        ("PYTHONWARNINGS", "all:0:evil.x", "imports the module"),
        ("NODE_OPTIONS", "--max-old-space-size=9 --require /x.js", "loads a module"),
        ("NODE_OPTIONS", "-r /x.js", "loads a module"),
        ("JAVA_TOOL_OPTIONS", "-Xmx1m -javaagent:/x.jar", "loads an agent"),
        ("RUBYOPT", "-r/x", "loads a library"),
        ("PERL5OPT", "-Mx", "loads a module"),
        ("BASH_ENV", "/x.sh", "runs a file"),
        ("ENV", "/x.sh", "runs a file"),
        ("BASH_FUNC_python3%%", "() { evil; }", "in the place of a command"),
        ("GCONV_PATH", "/x", "loads libraries"),
        ("OPENSSL_CONF", "/opt/openssl.cnf", "lets OpenSSL load"),
        ("DOTNET_STARTUP_HOOKS", "/x.dll", "loads an assembly"),
        ("LAMBDA_TASK_ROOT", "/app", "Lambda sets it itself"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001", "Lambda sets it itself"),
    ],
)
def test_a_variable_that_loads_code_or_is_lambdas_own_is_refused(name, value, does):
    """With what it does; the base's own value is the base's matter."""
    refused = said(starts_like(started(**{name: value}), BASE))
    assert f"{name} is {value!r} in the image" in refused
    assert does in refused
    same = Startup({**BASE.env, name: value}, BASE.entrypoint, BASE.workdir)
    assert starts_like(same, same).accepted


def test_each_variable_that_loads_code_has_its_source_and_is_in_one_table():
    """Data that nobody can trace is no data; one that is also free would be decided by whichever comes first."""
    assert all(each.source and each.does for each in LOADING.values())
    assert not (FREE | LISTS | RESERVED) & LOADING.keys()
    assert not FREE & RESERVED
    assert loads_code("LD_PRELOAD", "") == ""


def test_a_longer_list_in_a_variable_that_is_no_path_is_refused():
    """Only the variables of folders are lists that may grow."""
    base = Startup({"LIST": "/a", "LD_LIBRARY_PATH": "/a"}, (), "/")
    grown = Startup({"LIST": "/a:/b", "LD_LIBRARY_PATH": "/a:/b"}, (), "/")
    assert [each.name for each in differences(grown, base) if not each.allowed] == ["LIST"]


def test_another_entrypoint_or_folder_is_refused():
    """Lambda starts the image through the base's own entrypoint, in its own folder."""
    other = Startup(BASE.env, ("/entry.sh",), "/")
    assert differences(other, BASE) == (
        Difference("ENTRYPOINT", "/entry.sh -x", "/entry.sh", "Lambda starts the image by it"),
        Difference("WORKDIR", "/var/task", "/", "Lambda starts the image by it"),
    )
    assert len(starts_like(other, BASE).rejections) == 2


@pytest.mark.parametrize("cmd", [(), ("main.handler",), ("src.main.handler", "more"), ("", "src.main.handler")])
def test_any_other_cmd_than_the_handler_is_refused(cmd):
    """One word, the agreed one."""
    assert handler_is(["src.main.handler"], "src.main.handler").accepted
    assert "'src.main.handler'" in said(handler_is(cmd, "src.main.handler"))


def test_each_variable_names_its_agreed_path():
    """One that is missing and one that is elsewhere are both named; the right one is not."""
    wanted = {"A": "/a", "B": "/b", "C": "/c"}
    refused = names_paths({"A": "/a", "B": "/x"}, wanted)
    assert [each.cause.partition(" ")[0] for each in refused.rejections] == ["B", "C"]
    assert names_paths(wanted, wanted).accepted


# Python and packages

Answer = namedtuple("Answer", "rc stdout stderr")
NO_CONFLICT = Answer(0, "No broken requirements found.", "")


def supervised(said, arguments):
    """What comes out of the container when the supervisor runs; code 127: the supervisor cannot be started."""
    if said.rc == 127:
        return said
    mark = json.loads(arguments[-1])["mark"]
    told = {"answer": said.stdout, "late": False, "large": False, "exit": said.rc, "said": said.stderr}
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
    ' "hooks": [{"path": "/l/x.pth", "file": "/e/x.pth", "digests": ["md5:1"]}]}'
)


def test_what_the_images_python_says_is_read():
    """Names in one spelling."""
    host = Host(Answer(0, KNOWN, ""))
    found = inspect_python(host, ["A.B"], "/var/task")
    assert found.version == "3.11.9"
    assert found.packages == Installed(
        {"typing-extensions": "4.1"}, {"a-b": "ImportError: x"}, (), {"a-b": ("/var/task/a.py",)}
    )
    assert found.hooks == (Hook("/l/x.pth", "/e/x.pth", frozenset({"md5:1"})),)
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
    """Each line of its list is one; a failure without a list is one too, and its last words are the cause."""
    assert inspect_python(Host(Answer(0, KNOWN, ""), check), [], "/var/task").packages.conflicts == conflicts


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(127, "", "python3: not found"), "exit code 127): 'python3: not found'"),
        (Answer(1, "no json", "why"), "(exit code 1): 'why'"),
        (Answer(1, "", "x" * 500 + "end"), "'" + "x" * 397 + "end'"),
        (Answer(0, "[]", ""), "(exit code 0): ''"),
        (Answer(0, KNOWN.replace('"unimportable"', '"other"'), ""), "gave no answer"),
        (Answer(0, KNOWN.replace('"3.11.9"', "3.11"), ""), "gave no answer"),
        (Answer(0, '{"python": "3.11", "versions": [], "unimportable": {}}', ""), "gave no answer"),
        (Answer(0, '{"python": "3.11", "versions": {}, "unimportable": []}', ""), "gave no answer"),
        (Answer(0, KNOWN.replace('"path"', '"other"'), ""), "about what it runs when it starts"),
        (Answer(0, KNOWN.replace('[{"path', '[1, {"path'), ""), "about what it runs when it starts"),
        (Answer(0, "[" * 5000, ""), "gave no answer"),
    ],
)
def test_a_python_without_an_answer_is_told_with_what_it_said(answer, words):
    """An image without a working Python is an error with its cause, never an empty list of packages."""
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
    """The image's own code may print what it likes."""
    with pytest.raises(ImageUnavailable, match="gave no answer"):
        import_handler(Host(Answer(0, answer, "")), "main.run", "/var/task")


def test_an_import_that_ends_python_is_told_as_what_it_is():
    """A crash at import is the handler's, and Python itself is there."""
    found = import_handler(Host(Answer(139, "", "loading\nlibrary.so")), "main.run", "/var/task")
    assert "importing it gave no answer: exit code 139; its last words: loading library.so" in said(
        handler_imports(found)
    )


def test_a_failed_import_is_told_with_its_line():
    """Beside the exception stands the line of the image's own code."""
    line = "/var/task/src/main.py:7: `LOCK = multiprocessing.Lock()`"
    found = HandlerImport("src.main.run", False, "FileNotFoundError: [Errno 2] No such file or directory", line)
    assert f"No such file or directory, at {line}" in said(handler_imports(found))


@pytest.mark.parametrize("error", ["ImportError: x", ""])
def test_a_handler_that_cannot_be_called_is_refused(error):
    """With its error, or with the words that it is not callable."""
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
    """CMD is blamed for a wrong path, and for nothing else."""
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
    """As its Python says it."""
    assert marker_environment(Host(Answer(0, '{"environment": {"os_name": "posix"}}', ""))) == {"os_name": "posix"}
    with pytest.raises(ImageUnavailable, match="gave no answer"):
        marker_environment(Host(Answer(0, '{"environment": []}', "")))


@pytest.mark.parametrize(
    ("path", "file", "accepted"),
    [
        ("/l/known.pth", "/l/known.pth", True),
        ("/l/based.pth", "/l/based.pth", True),
        ("/l/linked.pth", "/l/known.pth", True),
        ("/l/stated.pth", "/l/stated.pth", True),
        ("/l/evil.pth", "/l/evil.pth", False),
        ("/l/edited.pth", "/l/edited.pth", False),
    ],
)
def test_what_python_starts_with_is_recorded_the_bases_or_stated(path, file, accepted):
    """A file of the same name with another content is none of them."""
    records = Records({"/l/known.pth": frozenset({"sha256:1"}), "/l/edited.pth": frozenset({"sha256:9"})})
    hook = Hook(path, file, frozenset({"sha256:1", "md5:1"}))
    result = starts_nothing_foreign(
        (hook,), records, {"/l/based.pth": "md5:1", "/l/evil.pth": "md5:2"}, ("/l/stated.pth",)
    )
    assert result.accepted is accepted
    assert accepted or f"Python runs {path} whenever it starts" in said(result)


@pytest.mark.parametrize(
    ("pin", "found"),
    [("23.1", "23.1.0"), ("2.1", "2.1+cpu"), ("2.1+cpu", "2.1+cpu"), ("1.0rc1", "1.0.rc1"), ("weird", "weird")],
)
def test_a_pin_is_met_as_pep_440_says(pin, found):
    """Zeros at the end, local versions, spellings of pre-releases."""
    assert pins_installed({"a": pin}, Installed({"a": found}, {}, ())).accepted


@pytest.mark.parametrize(
    ("pin", "found"),
    [("23.1", "23.1.1"), ("2.1+cpu", "2.1"), ("2.1", "2.1.post1"), ("2.1", "2.1rc1"), ("2.1", "weird")],
)
def test_another_version_is_no_match(pin, found):
    """Nor one that only looks alike."""
    assert not pins_installed({"a": pin}, Installed({"a": found}, {}, ())).accepted


def test_a_package_that_is_shadowed_edited_or_closed_is_refused():
    """With the file that runs in its place, or the folder that closes it."""
    shadowed = Installed({"a": "1", "b": "1"}, {}, (), {"a": ("/var/task/a/__init__.py",), "b": ("/x",)})
    refused = said(pins_installed({"a": "1"}, shadowed))
    assert "Python imports /var/task/a/__init__.py, which a did not record so" in refused
    assert "/x" not in refused
    closed = said(pins_installed({"a": "1"}, Installed({}, {}, (), {}, {"a": "/root"})))
    assert "a is pinned at 1, and lies where Lambda's user cannot go: /root is closed to it" in closed


def test_packages_at_their_pins_are_accepted():
    """What is installed beside them, and what of that does not import, is no matter of theirs."""
    assert pins_installed({"a": "1"}, Installed({"a": "1", "b": "2"}, {"b": "ImportError"}, ())).accepted


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        (Installed({}, {}, ()), "a is pinned at 1, and the image holds none"),
        (Installed({"a": "2"}, {}, ()), "a is pinned at 1, and the image holds 2"),
        (Installed({"a": "1"}, {"a": "ImportError: x"}, ()), "a is installed and cannot be imported: ImportError: x"),
        (Installed({"a": "1"}, {}, ("a needs b",)), "pip check: a needs b"),
    ],
)
def test_a_package_that_is_missing_other_broken_or_in_conflict_is_refused(installed, words):
    """Each in its own words."""
    refused = pins_installed({"a": "1"}, installed)
    assert [words in str(each) for each in refused.rejections] == [True]


def test_no_pin_and_no_package_prove_nothing():
    """Empty lists are refused, not accepted."""
    assert "pin no package" in said(pins_installed({}, Installed({}, {}, ())))
    assert "no Python package was found" in said(no_development_packages((), ("pytest",)))


def test_development_packages_are_refused_by_any_spelling():
    """Each that is there is named, and no other."""
    assert no_development_packages({"selenium"}, ("pytest", "Moto")).accepted
    assert "image: moto, pytest-x" in said(
        no_development_packages({"pytest-x", "a", "moto"}, ("Moto", "pytest_x", "b"))
    )
