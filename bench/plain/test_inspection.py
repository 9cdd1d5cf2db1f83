"""The checks of AC1 and AC6 that look into the image, as plain testinfra tests: what the gate's speed is held against.

Not part of any suite: `make bench` runs it on the image named by BENCH_IMAGE, for its time and nothing else.
"""

import json
import os
import subprocess

import pytest
import testinfra

IMAGE = os.environ["BENCH_IMAGE"]
BROWSER = {"CHROME_BIN": "/opt/chrome/chrome", "CHROMEDRIVER_BIN": "/opt/chromedriver"}
SEARCHED = "/var/task /opt /root /home /tmp /srv"
SECRET = r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|ghp_[0-9A-Za-z]{36}|xox[baprs]-|eyJ[A-Za-z0-9_-]{20,}\.eyJ"


def docker(*arguments):
    """What the docker CLI prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def image():
    """The image's configuration."""
    return json.loads(docker("image", "inspect", IMAGE))[0]


@pytest.fixture(scope="session")
def host():
    """A container of the image that only sleeps."""
    container = docker("run", "--rm", "--detach", "--network", "none", "--entrypoint", "sleep", IMAGE, "600").strip()
    yield testinfra.get_host(f"docker://{container}")
    docker("rm", "--force", container)


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


def test_base(image):
    """The base's layers are the lowest."""
    base = json.loads(docker("image", "inspect", "naver-lambda-base:standin"))[0]["RootFS"]["Layers"]
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


def test_permissions(host):
    """Every file can be read, every folder entered, by any user."""
    everything = host.check_output("find / -xdev -printf '%m %y %p\\n'")
    assert len(everything.splitlines()) > 10_000
    shut = "find /var/task /opt /var/lang /var/runtime -xdev ! -type l ! -perm -o=r -o -type d ! -perm -o=x"
    assert host.check_output(shut) == ""


def test_secrets(host, image):
    """None in the environment, the history or the files."""
    assert not [line for line in image["Config"]["Env"] if "SECRET" in line or "PASSWORD" in line]
    assert "SECRET" not in docker("history", "--no-trunc", IMAGE)
    found = host.run(f"grep -rIlE --exclude-dir=site-packages --exclude-dir=chrome '{SECRET}' {SEARCHED}")
    assert found.stdout == ""
