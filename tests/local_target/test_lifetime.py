"""How the local target begins and ends: seeded or kept, alone with its state, gone with its parent."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.config import Config

from gate.engine.leftovers import OWNER, sweep
from localaws import LocalTargetError
from localaws.target import LocalTarget
from tests.local_target.registry_client import RegistryClient, login
from tests.local_target.test_ecr_api import code_of
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
SCANNER = "tests.local_target.rehearsal_scanners:slow"


def ecr_of(target: LocalTarget, role: str = SEEDED.ci_role) -> Any:
    """ECR of a target."""
    return target.session(role).client("ecr", endpoint_url=target.endpoint)


def zip_function(target: LocalTarget) -> Any:
    """The zip function, as Lambda describes it."""
    functions = target.session().client("lambda", endpoint_url=target.endpoint)
    return functions.get_function(FunctionName=SEEDED.zip_function)["Configuration"]


def test_what_is_kept_and_what_is_seeded_anew(tmp_path: Path, volume: str) -> None:
    """With `keep` images, scans and the zip function stay as they were; without it only the blobs do.

    Two nights in one test: the kept target's clock is 25 hours ahead, so the day's scan may be run again.
    """
    image = {"repositoryName": SEEDED.repository, "imageId": {"imageTag": "v1.0.0"}}
    with LocalTarget(SEEDED, state=tmp_path, scanner=SCANNER, volume=volume) as first:
        ecr = ecr_of(first)
        pushed = RegistryClient(first.registry, login(ecr)).push(SEEDED.repository, "v1.0.0", "kept")
        ecr.start_image_scan(**image)
        ecr.get_waiter("image_scan_complete").wait(**image, WaiterConfig={"Delay": 1})
        before = zip_function(first)
    with LocalTarget(
        SEEDED, state=tmp_path, scanner=SCANNER, volume=volume, keep=True, clock_ahead=timedelta(hours=25)
    ) as second:
        ecr = ecr_of(second)
        (kept,) = ecr.describe_images(repositoryName=SEEDED.repository)["imageDetails"]
        assert kept["imageDigest"] == pushed.headers["Docker-Content-Digest"]
        assert ecr.describe_image_scan_findings(**image)["imageScanStatus"]["status"] == "COMPLETE"
        assert ecr.start_image_scan(**image)["imageScanStatus"]["status"] == "IN_PROGRESS"
        assert zip_function(second) == before
    with LocalTarget(SEEDED, state=tmp_path, scanner=SCANNER, volume=volume) as third:
        ecr = ecr_of(third)
        assert ecr.describe_images(repositoryName=SEEDED.repository)["imageDetails"] == []
        registry = RegistryClient(third.registry, login(ecr))
        again = registry.push(SEEDED.repository, "v1.0.0", "kept")
        assert again.headers["Docker-Content-Digest"] == pushed.headers["Docker-Content-Digest"]


def test_a_killed_registry_is_an_error_and_not_an_empty_one(
    tmp_path: Path, volume: str, engine: docker.DockerClient
) -> None:
    """With the container killed during the run, pushes get 503 and the API a ServerException; the state stays."""
    with LocalTarget(SEEDED, state=tmp_path, scanner=SCANNER, volume=volume) as mortal:
        once = Config(retries={"total_max_attempts": 1})
        ecr = mortal.session(SEEDED.administrator).client("ecr", endpoint_url=mortal.endpoint, config=once)
        registry = RegistryClient(mortal.registry, login(ecr))
        assert registry.push(SEEDED.repository, "candidate", "before").status == 201
        newest = max(_containers(engine, _label_of(os.getpid())), key=lambda container: container["Created"])
        engine.api.kill(newest["Id"])
        refused = registry.ask("POST", f"/v2/{SEEDED.repository}/blobs/uploads/")
        assert (refused.status, refused.code) == (503, "UNAVAILABLE")
        image = {"repositoryName": SEEDED.repository, "imageIds": [{"imageTag": "candidate"}]}
        assert code_of(ecr.batch_get_image, **image) == "ServerException"
        assert ecr.describe_images(**image)["imageDetails"]


def test_one_run_at_a_time_uses_a_state(target: LocalTarget) -> None:
    """A second run is refused at once, and the first goes on."""
    with pytest.raises(LocalTargetError, match="another run uses"):
        LocalTarget(SEEDED, state=target.state).start()
    assert ecr_of(target).describe_repositories(repositoryNames=[SEEDED.repository])["repositories"]


def test_everything_listens_on_loopback_alone(target: LocalTarget, engine: docker.DockerClient) -> None:
    """No socket of the gateway, of MiniStack or of the registry is reachable from elsewhere."""
    mine = set(_descendants(os.getpid()))
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    addresses = [
        line.split()[3] for line in listening.splitlines() if mine & {int(p) for p in re.findall(r"pid=(\d+)", line)}
    ]
    assert len(addresses) >= 2
    assert {address.rsplit(":", 1)[0] for address in addresses} == {"127.0.0.1"}
    # The registry's port is the engine's own, and no child of this process.
    opened = [port for each in _containers(engine, _label_of(os.getpid())) for port in each["Ports"] if "IP" in port]
    assert opened
    assert {port["IP"] for port in opened} == {"127.0.0.1"}


def test_killed_it_leaves_no_process_and_the_next_run_sweeps_its_container(
    tmp_path: Path, engine: docker.DockerClient, volume: str
) -> None:
    """After SIGKILL the children end by themselves; the next run removes the container."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localaws", "--state", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    exports = _lines_until(process, "until Ctrl-C")
    children = _descendants(process.pid)
    label = _label_of(process.pid)
    assert len(children) >= 2
    # Looked at before the end: after it any other run of this machine may sweep it, and be faster than this one.
    assert _containers(engine, label)
    assert {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_SESSION_TOKEN", "REGISTRY"} <= set(exports)
    assert "127.0.0.1" in exports["NO_PROXY"]
    process.kill()
    process.wait()
    process.stdout.close()
    _until(lambda: not [child for child in children if Path(f"/proc/{child}").exists()])
    sweep(engine)
    _until(lambda: not _containers(engine, label))


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, engine: docker.DockerClient) -> None:
    """Ctrl-C ends it with exit code 0, no container and no exports; its port is closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "localaws", "--state", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    exports = _lines_until(process, "until Ctrl-C")
    label = _label_of(process.pid)
    assert _containers(engine, label)
    assert (tmp_path / "exports.sh").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stdout is not None
    process.stdout.close()
    assert not _containers(engine, label)
    assert not (tmp_path / "exports.sh").exists()
    host, port = exports["REGISTRY"].split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_no_secret_reaches_the_logs(target: LocalTarget) -> None:
    """Neither a session's secret nor a registry password is in a log file."""
    _, password = login(ecr_of(target))
    logs = "".join(path.read_text(errors="replace") for path in target.state.glob("*.log"))
    assert target.keys().secret_key not in logs
    assert password not in logs


def test_the_zip_function_is_the_one_in_production(target: LocalTarget, client: Callable[..., Any]) -> None:
    """Layers chromedriver:2 and selenium:1, Python 3.7, 512 MB, 300 s, and a rule at 20 minutes that may call it."""
    found = zip_function(target)
    assert (found["Runtime"], found["MemorySize"], found["Timeout"]) == ("python3.7", 512, 300)
    assert [layer["Arn"].split("layer:")[1] for layer in found["Layers"]] == ["chromedriver:2", "selenium:1"]
    assert found["Role"] == SEEDED.role_arn(SEEDED.zip_role)
    events = client("events")
    (rule,) = events.list_rule_names_by_target(TargetArn=found["FunctionArn"])["RuleNames"]
    described = events.describe_rule(Name=rule)
    assert (described["ScheduleExpression"], described["State"]) == ("rate(20 minutes)", "ENABLED")
    assert "events.amazonaws.com" in client("lambda").get_policy(FunctionName=SEEDED.zip_function)["Policy"]


def test_the_ci_role_reads_but_does_not_touch_the_zip_function(client: Callable[..., Any]) -> None:
    """The release reads it and does not change it."""
    functions = client("lambda")
    assert functions.list_versions_by_function(FunctionName=SEEDED.zip_function)["Versions"]
    change = {"FunctionName": SEEDED.zip_function, "Timeout": 10}
    assert code_of(functions.update_function_configuration, **change) == "AccessDeniedException"


def _lines_until(process: subprocess.Popen[str], mark: str) -> dict[str, str]:
    assert process.stdout is not None
    exports = {}
    for line in process.stdout:
        if mark in line:
            return exports
        name, _, value = line.removeprefix("export ").strip().partition("=")
        exports[name] = value
    raise AssertionError("it ended without saying that it is ready")


def _label_of(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{OWNER}={boot}:{pid}:{stat[19]}"


def _containers(engine: docker.DockerClient, label: str) -> list[Any]:
    found: list[Any] = engine.api.containers(all=True, filters={"label": label})
    return found


def _descendants(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, found) for each in (child, *_descendants(child))]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 15 s"
        time.sleep(0.05)
