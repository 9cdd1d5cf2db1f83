"""The judges of an image's size, descent, start, Python, packages and secrets: what each lets pass, and what not."""

import base64
import hashlib
import json
from collections import namedtuple

import pytest

from gate.errors import ImageUnavailable
from gate.image.contract import Difference, Startup, differences, handler_is, names_paths, starts_like
from gate.image.lineage import STAND_IN_LABEL, descends_from, genuine, platform_is, same_image
from gate.image.packages import Installed, canonical_name, no_development_packages, pins, pins_installed
from gate.image.python import HandlerImport, handler_imports, import_handler, inspect_python, python_is
from gate.image.secrets import kinds_in, no_secret, wanted_text
from gate.image.size import GB, below
from gate.image.tree import KEPT_BYTES, Tree

BASE = Startup({"PATH": "/a:/b", "LANG": "C"}, ("/entry.sh", "-x"), "/var/task")
GITHUB = "ghp_" + "a1B2" * 9
REPOSITORY = "public.ecr.aws/lambda/python"


def said(judgement):
    """The judgement as text ("" for accepted)."""
    return "\n".join(map(str, judgement.rejections))


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
    assert genuine({}, ("elsewhere/python@sha256:1", f"{REPOSITORY}@sha256:1"), base).accepted


def test_the_port_of_a_registry_is_no_tag():
    """A base without a tag, in a registry with a port, is found by its whole name."""
    assert genuine({}, ("registry:5000/python@sha256:1",), "registry:5000/python").accepted
    assert not genuine({}, ("registry@sha256:1",), "registry:5000/python").accepted


@pytest.mark.parametrize("digests", [(), ("elsewhere/python@sha256:1",), (f"{REPOSITORY}-x@sha256:1",)])
def test_a_base_that_no_registry_vouches_for_is_refused(digests):
    """A local tag of the same name is not the approved base."""
    assert f"was not pulled from {REPOSITORY}" in said(genuine({}, digests, f"{REPOSITORY}:3.11"))


def test_a_stand_in_is_never_the_approved_base():
    """Not even with a digest."""
    labels = {STAND_IN_LABEL: "true"}
    assert "is a stand-in" in said(genuine(labels, (f"{REPOSITORY}@sha256:1",), f"{REPOSITORY}:3.11"))


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


@pytest.mark.parametrize("env", [{}, {"NEW": "1"}, {"PATH": "/x:/a:/y:/b:/z"}])
def test_new_variables_and_a_longer_path_harm_nothing(env):
    """The image may add, and what it adds is listed as allowed."""
    assert starts_like(started(**env), BASE).accepted
    assert all(each.allowed for each in differences(started(**env), BASE))


@pytest.mark.parametrize("env", [{"LANG": "de"}, {"LANG": None}, {"PATH": "/a"}, {"PATH": "/b:/a"}, {"PATH": None}])
def test_a_changed_or_lost_variable_is_refused(env):
    """PATH keeps the base's folders in their order; any other variable keeps its value."""
    (name,) = env
    assert f"leave {name} as the base image sets it" in said(starts_like(started(**env), BASE))


def test_a_longer_list_in_a_variable_that_is_no_path_is_refused():
    """Only PATH and LD_LIBRARY_PATH are lists that may grow."""
    base = Startup({"LIST": "/a", "LD_LIBRARY_PATH": "/a"}, (), "/")
    grown = Startup({"LIST": "/a:/b", "LD_LIBRARY_PATH": "/a:/b"}, (), "/")
    assert [each.name for each in differences(grown, base) if not each.allowed] == ["LIST"]


def test_another_entrypoint_or_folder_is_refused():
    """Lambda starts the image through the base's own entrypoint, in its own folder."""
    other = Startup(BASE.env, ("/entry.sh",), "/")
    assert differences(other, BASE) == (
        Difference("ENTRYPOINT", "/entry.sh -x", "/entry.sh", allowed=False),
        Difference("WORKDIR", "/var/task", "/", allowed=False),
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


KNOWN = '{"python": "3.11.9", "versions": {"Typing_Extensions": "4.1"}, "unimportable": {"A.B": "ImportError: x"}}'


def test_what_the_images_python_says_is_read():
    """Names in one spelling."""
    host = Host(Answer(0, KNOWN, ""))
    found = inspect_python(host, ["A.B"], "/var/task")
    assert found.version == "3.11.9"
    assert found.packages == Installed({"typing-extensions": "4.1"}, {"a-b": "ImportError: x"}, ())
    assert {asked[0] for asked in host.asked} == {"/var/task"}
    assert json.loads(host.asked[0][-1])["arguments"] == ['["a-b"]']


@pytest.mark.parametrize(
    ("check", "conflicts"),
    [
        (Answer(1, "a needs b\n", "c needs d"), ("a needs b", "c needs d")),
        (Answer(2, "", ""), ("pip check ended with exit code 2",)),
    ],
)
def test_whatever_pip_check_objects_to_is_a_conflict(check, conflicts):
    """Each line is one, and silence with an exit code is one too."""
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


def test_pins_are_read_with_extras_hashes_and_comments():
    """Names in one spelling, the version without what follows it."""
    text = "# comment\n\n--index-url x\nA_b.c[extra] == 1.0 ; python_version > '3'\nd==2 --hash=sha256:1\ne==3\\\n"
    assert pins(text, "requirements.txt") == {"a-b-c": "1.0", "d": "2", "e": "3"}
    assert canonical_name("A__b.-c") == "a-b-c"


@pytest.mark.parametrize("line", ["selenium", "selenium>=4", "selenium==", "git+https://host/x"])
def test_a_requirement_without_a_pin_is_refused(line):
    """Nothing could be held against it."""
    with pytest.raises(ImageUnavailable, match="is not pinned"):
        pins(f"a==1\n{line}\n", "requirements.txt")


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


# Secrets


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/var/task/main.py", True),
        ("/usr/share/doc/example", False),
        ("/opt/chrome/chrome", False),
        ("/var/task/site-packages/x.py", False),
        ("/var/task/site-packages/.env", True),
        ("/usr/lib/.netrc", True),
        ("/nowhere/.docker/config.json", True),
        ("/nowhere/config.json", False),
    ],
)
def test_files_that_a_build_brings_are_searched(path, wanted):
    """The distribution's and the packages' own are not, unless their name tells."""
    assert wanted_text(path) is wanted


def test_a_clean_image_holds_no_secret():
    """An empty variable promises nothing, whatever its name."""
    tree = Tree({}, {"/var/task/main.py": "x = 1", "/usr/share/x": GITHUB})
    assert no_secret({"API_KEY": "", "LANG": "C"}, ("RUN true",), tree).accepted


@pytest.mark.parametrize(
    ("env", "history", "texts", "words"),
    [
        ({"my_password": "x"}, (), {}, "the environment variable my_password holds a secret"),
        ({"LANG": GITHUB}, (), {}, "the environment variable LANG holds a secret"),
        ({}, ("RUN true", f"RUN {GITHUB}"), {}, "history entry 2"),
        ({}, (), {"/var/task/main.py": f"x\n{GITHUB}"}, "/var/task/main.py holds a secret (GitHub Token)"),
        ({}, (), {"/root/.netrc": "x"}, "/root/.netrc holds a secret (by its name)"),
        ({}, (), {"/x/.aws/credentials": "x"}, "/x/.aws/credentials holds a secret (by its name)"),
    ],
)
def test_a_secret_is_found_and_never_repeated(env, history, texts, words):
    """In the environment by name or look, in the history by its entry, in a file by its text or name."""
    refused = said(no_secret(env, history, Tree({}, {"/opt/a": "x", **texts})))
    assert words in refused
    assert GITHUB not in refused


def test_a_packages_own_examples_beside_the_handler_are_no_secrets_until_they_are_edited():
    """`pip install --target` records the hash of every file; what differs from it, or is in no record, is searched."""
    example = f"# such as {GITHUB}\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(example.encode()).digest()).rstrip(b"=").decode()
    record = {"/var/task/lib-1.0.dist-info/RECORD": f"lib/url.py,sha256={digest},9\nlib/x.py,,\n"}
    assert no_secret({}, (), Tree({}, {**record, "/var/task/lib/url.py": example})).accepted
    for texts in (
        {"/var/task/lib/url.py": example + "\n"},
        {"/var/task/lib/x.py": example},
        {"/var/task/url.py": example},
    ):
        assert next(iter(texts)) in said(no_secret({}, (), Tree({}, {**record, **texts})))
    named = {"/var/task/lib-1.0.dist-info/RECORD": f"lib/.env,sha256={digest},9\n", "/var/task/lib/.env": example}
    assert "/var/task/lib/.env" in said(no_secret({}, (), Tree({}, named)))


@pytest.mark.parametrize("line", [f"{'x' * 131_073},,", 'lib/"x.py,,\n"lib/y.py'], ids=["endless", "open quote"])
def test_a_record_that_no_installer_can_have_written_vouches_for_nothing_and_does_not_end_the_search(line):
    """Not even for the file that one of its lines fits."""
    example = f"# such as {GITHUB}\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(example.encode()).digest()).rstrip(b"=").decode()
    texts = {
        "/var/task/lib-1.0.dist-info/RECORD": f"lib/url.py,sha256={digest},9\n{line}\n",
        "/var/task/lib/url.py": example,
    }
    assert "/var/task/lib/url.py holds a secret (GitHub Token)" in said(no_secret({}, (), Tree({}, texts)))


def test_a_line_of_a_record_has_three_parts_or_vouches_for_nothing():
    """Path, hash and size; what is no such line does not end the search."""
    example = f"# such as {GITHUB}\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(example.encode()).digest()).rstrip(b"=").decode()
    for line in ("lib/url.py", f"lib/url.py,sha256={digest}", f"lib/url.py,sha256={digest},9,"):
        texts = {"/var/task/lib-1.0.dist-info/RECORD": f"{line}\n\n", "/var/task/lib/url.py": example}
        assert "/var/task/lib/url.py" in said(no_secret({}, (), Tree({}, texts)))


def test_a_file_that_may_hold_settings_only_is_judged_by_its_text():
    """A pip.conf or .npmrc without a token is no secret."""
    assert no_secret({}, (), Tree({}, {"/root/.npmrc": "color=true", "/etc/pip.conf": "[global]"})).accepted


def test_every_kind_of_secret_in_a_text_is_told():
    """Of all its lines, as far as a file's text is kept."""
    assert kinds_in(f"x\n{GITHUB}\nhttps://a:b12345@host\n") == {"GitHub Token", "Basic Auth Credentials"}
    assert kinds_in(f"{' ' * KEPT_BYTES}\n{GITHUB}") == frozenset()
