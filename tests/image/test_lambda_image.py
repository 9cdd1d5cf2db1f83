"""The real image on the stand-in base: small, clean, whole for the scanner, and its handler leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gate.image.build_inputs import proxy_certificates
from gate.publish.docker_build import main as docker_build

pytestmark = pytest.mark.docker

# 1.0 GB, as docker reports it.
LARGEST = 1_000_000_000
# As Lambda runs it, but for the CPU share, which the acceptance run uses.
LAMBDA = """--network none --read-only --tmpfs /tmp:size=512m,exec,mode=1777 --user 993:990 --cap-drop ALL
    --security-opt no-new-privileges --ipc none --memory 512m --memory-swap 512m""".split()  # noqa: SIM905
# Documentation, manual pages and locales are all that may be missing from a package.
LEFT_OUT = (
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/info/",
    "/usr/share/locale/",
    "/usr/share/gtk-doc/",
    "/usr/share/help/",
    "/usr/lib/chromium/locales/",
)
SESSIONS = """
import json, os, signal, sys
sys.path.insert(0, "/var/task")
from src import main
class Context:
    def __init__(self, seconds): self.seconds = seconds
    def get_remaining_time_in_millis(self): return self.seconds * 1000
def is_chrome(pid): return pid.isdigit() and "chromium" in open(f"/proc/{pid}/comm").read()
def chromes(): return [int(pid) for pid in os.listdir("/proc") if is_chrome(pid)]
def left(): return [os.listdir("/tmp"), [pid for pid in os.listdir("/proc") if pid.isdigit()]]
answers = [main.lambda_handler({"action": "healthcheck"}, Context(60)) for _ in range(2)]
after = left()
page, deaths = main.page, []
def deadly(*words):
    # Chrome dies with the session under way, so many times as the test says.
    if deaths and deaths.pop():
        for pid in chromes(): os.kill(pid, signal.SIGKILL)
    return page(*words)
main.page = deadly
deaths[:] = [1]
survived = main.lambda_handler({"action": "healthcheck"}, Context(60))
deaths[:] = [1, 1, 1]
try:
    main.lambda_handler({"action": "healthcheck"}, Context(60))
    dead = "answered"
except Exception as error:
    dead = type(error).__name__
after_death = left()
try:
    main.lambda_handler({"action": "healthcheck"}, Context(2.05))
    late = "answered"
except Exception as error:
    late = type(error).__name__
wrong = [main.lambda_handler(event, Context(60)) for event in ({"action": "send"}, {}, None, "healthcheck")]
print(json.dumps({"answers": answers, "after": after, "late": late, "after_late": left(), "wrong": wrong,
    "survived": survived, "dead": dead, "after_death": after_death}))
"""


def run(image: str, *command: str, options: tuple[str, ...] = ("--network", "none")) -> str:
    """What a program in the image prints."""
    entry, *arguments = command
    words = ["docker", "run", "--rm", *options, "--entrypoint", entry, image, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def inspect(image: str) -> dict[str, Any]:
    """What docker records of the image."""
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)[0]


@pytest.fixture(scope="module")
def image() -> str:
    """The image ID of what `make docker-build` builds."""
    return docker_build([])


@pytest.fixture(scope="module")
def sessions(image: str) -> dict[str, Any]:
    """What the handler answered and left: two health checks, one that runs out of time, and wrong events."""
    return json.loads(run(image, "python3", "-c", SESSIONS, options=tuple(LAMBDA)))


def test_unchanged_tree_builds_the_same_image(image: str) -> None:
    """A second build of the same files ends with the same image ID."""
    assert docker_build([]) == image


def test_image_is_within_one_gigabyte(image: str) -> None:
    """Uncompressed, on the stand-in base."""
    assert inspect(image)["Size"] <= LARGEST


def test_labels_tell_origin_and_stand_in(image: str) -> None:
    """The four OCI labels have values, and the base's own label says that it is a stand-in."""
    labels = inspect(image)["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"].startswith("v")
    assert all(labels[f"org.opencontainers.image.{name}"] for name in ("source", "revision", "created"))
    assert labels["release-gate.stand-in"] == "true"


def test_packages_miss_only_documentation(image: str) -> None:
    """The database of packages is whole, and every other file of every package is there with its checksum."""
    audit = "export PATH=$PATH:/usr/sbin:/sbin; dpkg --audit; dpkg --verify || true"
    lines = run(image, "sh", "-c", audit).splitlines()
    paths = [line.split()[-1] for line in lines]
    assert [path for path in paths if not path.startswith(LEFT_OUT)] == []


def test_nothing_of_the_build_stays(image: str) -> None:
    """No certificate of the host, no build folder, no package list or archive, no pip cache, in files or history."""
    folders = "/build /root/.cache /var/lib/apt/lists /var/cache /var/log /usr/local/share/ca-certificates"
    files = run(image, "sh", "-c", f"find {folders} -type f 2> /dev/null || true").splitlines()
    # The font cache is wanted: on a read-only root it cannot be made later.
    assert [path for path in files if not path.startswith("/var/cache/fontconfig/")] == []
    history = subprocess.run(
        ["docker", "history", "--no-trunc", image], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert "BEGIN CERTIFICATE" not in history
    bundle = run(image, "cat", "/etc/ssl/certs/ca-certificates.crt")
    for line in proxy_certificates().splitlines():
        assert line.startswith("-----") or line not in bundle


def test_every_file_is_readable_by_lambdas_user(image: str) -> None:
    """Of the function, its packages, Chrome and the runtime, uid 993 may read each file and enter each folder."""
    closed = "find /var/task /var/lang /var/runtime /opt /usr/lib/chromium /usr/share/fonts ! -perm -o=r ! -type l"
    assert run(image, "sh", "-c", closed) == ""


def test_healthcheck_reports_page_versions_and_times(sessions: dict[str, Any]) -> None:
    """The page's Korean title and text come back, with versions that agree and times that were taken."""
    settings = json.loads((Path(__file__).parents[2] / "image/config/settings.json").read_text())
    for answer in sessions["answers"]:
        assert answer["ok"] is True
        assert (answer["title"], answer["text"]) == (settings["healthcheck_title"], settings["healthcheck_text"])
        assert answer["versions"]["chrome"] == answer["versions"]["chromedriver"]
        assert answer["versions"]["python"].startswith("3.11.")
        assert all(milliseconds > 0 for milliseconds in answer["timings_ms"].values())


def test_sessions_leave_no_file_and_no_process(sessions: dict[str, Any]) -> None:
    """After warm invocations /tmp is empty and the handler is alone, not even a zombie beside it."""
    assert sessions["after"] == [[], ["1"]]


def test_session_over_its_time_is_ended_and_cleaned_up(sessions: dict[str, Any]) -> None:
    """A Chrome that does not come in time is an error of the invocation, and leaves nothing either."""
    assert sessions["late"] == "TimeoutError"
    assert sessions["after_late"] == [[], ["1"]]


def test_a_chrome_that_dies_is_started_again_and_the_answer_says_so(sessions: dict[str, Any]) -> None:
    """In a single process it may die at any time; always is a failure, and none leaves anything."""
    assert sessions["answers"][0]["chrome_died"] == 0
    assert (sessions["survived"]["ok"], sessions["survived"]["chrome_died"]) == (True, 1)
    assert sessions["dead"] == "InvalidSessionIdException"
    assert sessions["after_death"] == [[], ["1"]]


def test_any_other_event_is_a_clear_error_and_does_nothing(sessions: dict[str, Any]) -> None:
    """Another action, none, and an event that is no object all get the same kind of answer."""
    for answer in sessions["wrong"]:
        assert answer["ok"] is False
        assert answer["errorType"] == "UnknownAction"
        assert "Nothing was done" in answer["errorMessage"]


def test_stand_in_without_a_runtime_api_says_so(image: str) -> None:
    """There is no emulator in the stand-in, and a person who starts it by hand reads that."""
    words = ["docker", "run", "--rm", "--network", "none", image]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "has no Lambda emulator" in done.stderr
