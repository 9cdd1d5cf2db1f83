"""The checks of AC1 and AC6 that look into the image, as plain testinfra tests: what the gate's speed is held against.

Not part of any suite: `make bench` runs it on the image named by BENCH_IMAGE (its base: BENCH_BASE), for its time and
nothing else, with one of the two ways to read the files: in the image, or on the host.
"""

import json
import os
import re

import pytest

BROWSER = {"CHROME_BIN": "/opt/chrome/chrome", "CHROMEDRIVER_BIN": "/opt/chromedriver"}


def test_size(image):
    """Below Lambda's limit."""
    assert image["Size"] < 10 * 10**9


def test_platform(image):
    """The function's."""
    assert (image["Os"], image["Architecture"]) == ("linux", "amd64")


def test_startup(image):
    """CMD and entrypoint."""
    assert image["Config"]["Cmd"] == ["src.main.lambda_handler"]
    assert image["Config"]["Entrypoint"] == ["/lambda-entrypoint.sh"]


def test_base(image, docker):
    """The base's layers are the lowest."""
    base = json.loads(docker("image", "inspect", os.environ["BENCH_BASE"]))[0]["RootFS"]["Layers"]
    assert image["RootFS"]["Layers"][: len(base)] == base


@pytest.mark.parametrize("variable", BROWSER)
def test_program(host, image, variable):
    """Exists, and any user may run it."""
    assert f"{variable}={BROWSER[variable]}" in image["Config"]["Env"]
    program = host.file(host.check_output(f"readlink -f {BROWSER[variable]}"))
    assert program.is_file
    assert program.mode & 0o005 == 0o005
    assert program.size > 10_000


@pytest.mark.parametrize("variable", BROWSER)
def test_libraries(host, variable):
    """None is missing."""
    program = host.check_output(f"readlink -f {BROWSER[variable]}")
    assert "not found" not in host.run(f"LD_TRACE_LOADED_OBJECTS=1 {program}").stdout


def test_versions(host):
    """One major version, and the package's."""
    chrome = host.check_output("/opt/chrome/chrome --version").split()[1]
    driver = host.check_output("/opt/chromedriver --version").split()[1]
    assert chrome.split(".")[0] == driver.split(".")[0]
    assert host.package("chromium").version.startswith(chrome)
    assert host.package("chromium-driver").version.startswith(driver)


def test_python(host):
    """Its version and its packages."""
    assert host.check_output("python3 --version").startswith("Python 3.11.")
    packages = {
        each["name"]: each["version"] for each in json.loads(host.check_output("python3 -m pip list --format json"))
    }
    assert not {"pytest", "mypy", "ruff", "black"} & set(packages)
    assert host.run("python3 -m pip check").rc == 0
    assert host.run("python3 -c 'import selenium, urllib3, websocket, trio'").rc == 0


def test_handler(host):
    """Can be imported."""
    assert host.run("cd /var/task && python3 -c 'import src.main; assert callable(src.main.lambda_handler)'").rc == 0


def test_configuration(image, docker, secret):
    """No secret in the environment or the history."""
    assert not [line for line in image["Config"]["Env"] if "SECRET" in line or "PASSWORD" in line]
    history = docker("history", "--no-trunc", image["Id"])
    assert "SECRET" not in history
    assert not re.search(secret, history)
