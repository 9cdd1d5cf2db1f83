"""What Lambda relies on in an image: what each check accepts and what it refuses."""

import pytest

from gate.image.contract import (
    GB,
    ConfigDifference,
    Startup,
    below,
    differences,
    handler_is,
    names_paths,
    platform_is,
    starts_like,
)
from gate.image.environment_variables import FREE, LISTS, LOADING, RESERVED, loads_code
from tests.image.results import said

BASE = Startup({"PATH": "/a:/b", "LANG": "C", "TZ": ":/etc/localtime", "SOME": "1"}, ("/entry.sh", "-x"), "/var/task")


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
    """The limit itself is too much, and so is an unknown size."""
    assert words in said(below(size, 10, "uncompressed"))


def test_a_gigabyte_is_decimal():
    """Ten billion bytes are the limit, the smaller reading of 10 GB."""
    assert GB == 10**9


def test_only_the_functions_own_platform_is_accepted():
    """Both platforms are named."""
    assert platform_is("linux/amd64", "linux/amd64").accepted
    refused = said(platform_is("linux/arm64", "linux/amd64"))
    assert "linux/arm64" in refused
    assert "--platform linux/amd64" in refused


def started(**env):
    """The base's settings with these variables changed; None removes one."""
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
    """Additions are listed as harmless."""
    assert starts_like(started(**env), BASE).accepted
    assert not any(each.wrong for each in differences(started(**env), BASE))


@pytest.mark.parametrize(
    "env",
    [{"LANG": None}, {"PATH": "/a"}, {"PATH": "/b:/a"}, {"PATH": None}, {"PATH": ""}, {"SOME": "2"}, {"SOME": None}],
)
def test_a_changed_or_lost_variable_is_refused(env):
    """PATH keeps the base's folders in their order, and no variable may be removed."""
    (name,) = env
    assert f"leave {name} as the base image sets it" in said(starts_like(started(**env), BASE))


@pytest.mark.parametrize(
    ("name", "value", "does"),
    [
        ("LD_PRELOAD", "/opt/x.so", "loads a library into every program"),
        ("LD_AUDIT", "x.so", "loads a library"),
        ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper", "instead of the runtime"),
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
        ("BASH_FUNC_python3%%", "() { evil; }", "instead of a command"),
        ("GCONV_PATH", "/x", "loads libraries"),
        ("OPENSSL_CONF", "/opt/openssl.cnf", "lets OpenSSL load"),
        ("DOTNET_STARTUP_HOOKS", "/x.dll", "loads an assembly"),
        ("LAMBDA_TASK_ROOT", "/app", "Lambda sets it itself"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001", "Lambda sets it itself"),
    ],
)
def test_a_variable_that_loads_code_or_is_lambdas_own_is_refused(name, value, does):
    """With its effect; the base's own value is not checked."""
    refused = said(starts_like(started(**{name: value}), BASE))
    assert f"{name} is {value!r} in the image" in refused
    assert does in refused
    same = Startup({**BASE.env, name: value}, BASE.entrypoint, BASE.workdir)
    assert starts_like(same, same).accepted


def test_each_variable_that_loads_code_has_its_source_and_is_in_one_table():
    """Each has a documented source, and no variable is in two tables."""
    assert all(each.source and each.does for each in LOADING.values())
    assert not (FREE | LISTS | RESERVED) & LOADING.keys()
    assert not FREE & RESERVED
    assert loads_code("LD_PRELOAD", "") == ""


def test_a_longer_list_in_a_variable_that_is_no_path_is_refused():
    """Only the variables of folders are lists that may grow."""
    base = Startup({"LIST": "/a", "LD_LIBRARY_PATH": "/a"}, (), "/")
    grown = Startup({"LIST": "/a:/b", "LD_LIBRARY_PATH": "/a:/b"}, (), "/")
    assert [each.name for each in differences(grown, base) if each.wrong] == ["LIST"]


def test_another_entrypoint_or_folder_is_refused():
    """Lambda starts the image with the base's entrypoint, in its folder."""
    other = Startup(BASE.env, ("/entry.sh",), "/")
    assert differences(other, BASE) == (
        ConfigDifference("ENTRYPOINT", "/entry.sh -x", "/entry.sh", "Lambda starts the image with it"),
        ConfigDifference("WORKDIR", "/var/task", "/", "Lambda starts the image with it"),
    )
    assert len(starts_like(other, BASE).rejections) == 2


@pytest.mark.parametrize("cmd", [(), ("main.handler",), ("src.main.handler", "more"), ("", "src.main.handler")])
def test_any_other_cmd_than_the_handler_is_refused(cmd):
    """CMD is one word, the agreed handler."""
    assert handler_is(["src.main.handler"], "src.main.handler").accepted
    assert "'src.main.handler'" in said(handler_is(cmd, "src.main.handler"))


def test_each_variable_names_its_agreed_path():
    """A missing and a wrong one are named; the right one is not."""
    wanted = {"A": "/a", "B": "/b", "C": "/c"}
    refused = names_paths({"A": "/a", "B": "/x"}, wanted)
    assert [each.cause.partition(" ")[0] for each in refused.rejections] == ["B", "C"]
    assert names_paths(wanted, wanted).accepted
