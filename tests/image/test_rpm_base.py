"""The image on an RPM base: a package or library that is missing, and a Chrome that is not the locked one, stop it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import dockerfile
import pytest

from gate.errors import ImageUnavailable
from gate.image.build import BuiltImage, build_image
from gate.publish.build import STAND_IN, STAND_IN_CONTEXT

ROOT = Path(__file__).parents[2]
BASE = "release-gate-test-rpm-base:latest"
NEWER_BASE = "release-gate-test-rpm-newer-base:latest"
TAG = "release-gate-test-rpm:latest"
# The last is what AWS's bases of Amazon Linux 2023 (python:3.12 and later) have.
MANAGERS = ("yum", "dnf", "microdnf", "dnf -> microdnf")

pytestmark = pytest.mark.docker


def quiet_build(context: Path, tag: str, base: str | None, folder: Path) -> BuiltImage:
    """A build without progress messages."""
    return build_image(context, tag=tag, base_image=base, log=folder / "build.log", progress=lambda _: None)


@pytest.fixture(scope="module")
def rpm_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The RPM-like base, on the stand-in."""
    logs = tmp_path_factory.mktemp("base")
    quiet_build(ROOT / STAND_IN_CONTEXT, STAND_IN, None, logs)
    # By its tag: BuildKit takes an image ID for the name of a repository.
    return quiet_build(Path(__file__).parent / "rpm-base", BASE, None, logs).tag


@pytest.fixture(scope="module")
def newer_base(rpm_base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as AWS's bases of Amazon Linux 2023 are: no yum, and a dnf that is a link to microdnf."""
    folder = tmp_path_factory.mktemp("newer")
    lines = f"FROM {rpm_base}\nRUN cd /usr/local/bin && mv yum microdnf && rm -f dnf && ln -s microdnf dnf\n"
    (folder / "Dockerfile").write_text(lines)
    return quiet_build(folder, NEWER_BASE, None, folder).tag


@pytest.fixture(scope="module")
def program(rpm_base: str) -> bytes:
    """An ELF program of that base, whose libraries are there."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "cat", rpm_base, "/usr/bin/true"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The image's own context, without a lock."""
    folder = tmp_path / "image"
    shutil.copytree(ROOT / "image", folder, ignore=shutil.ignore_patterns("__pycache__", "chrome.lock"))
    return folder


@pytest.fixture
def lock(context: Path, program: bytes) -> Callable[..., None]:
    """Puts zips of made-up programs into the context and locks them."""

    def make(chrome: bytes = program, *, sha256: str = "") -> None:
        downloads = {}
        for name, content in (("chrome", chrome), ("chromedriver", program)):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as zipped:
                member = zipfile.ZipInfo(f"{name}-linux64/{name}")
                member.external_attr = 0o755 << 16
                zipped.writestr(member, content)
            path = context / "build" / "zips" / f"{name}.zip"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(packed.getvalue())
            checksum = sha256 or hashlib.sha256(packed.getvalue()).hexdigest()
            downloads[name] = {"url": f"file:///build/zips/{name}.zip", "sha256": checksum}
        pinned = re.search(r"CHROME_VERSION=([\d.]+)", (context / "Dockerfile").read_text())
        assert pinned is not None
        (context / "chrome.lock").write_text(json.dumps({"version": pinned[1], "downloads": downloads}))

    return make


def refusal(context: Path, base: str) -> str:
    """What a build that must fail says."""
    with pytest.raises(ImageUnavailable) as failure:
        quiet_build(context, TAG, base, context.parent)
    return failure.value.cause


def with_buildkit() -> str:
    """The folder of a docker client that can use BuildKit: a new one needs its buildx plug-in, an old one nothing."""
    clients = [found for found in (shutil.which("docker"), shutil.which("docker", path="/usr/bin")) if found]
    for client in clients:
        version = subprocess.run([client, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        buildx = subprocess.run([client, "buildx", "version"], capture_output=True, timeout=30, check=False)
        if buildx.returncode == 0 or int(re.findall(r"\d+", version)[0]) < 23:
            return str(Path(client).parent)
    raise AssertionError(f"no docker client here can use BuildKit: {clients}; install docker-buildx")


@pytest.mark.parametrize(
    ("base", "buildkit"),
    [("newer_base", False), ("rpm_base", True)],
    ids=["microdnf, classic builder", "yum, BuildKit"],
)
def test_locked_chrome_is_built_in(
    request: pytest.FixtureRequest,
    context: Path,
    lock: Callable[..., None],
    base: str,
    buildkit: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every package, library and checksum in place, the image has both programs at the contract's paths."""
    lock()
    monkeypatch.setenv("DOCKER_BUILDKIT", str(int(buildkit)))
    if buildkit:
        monkeypatch.setenv("PATH", f"{with_buildkit()}:{os.environ['PATH']}")
    built = quiet_build(context, TAG, request.getfixturevalue(base), context.parent)
    run = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--user",
        "993:990",
        "--entrypoint",
        "sh",
        built.image_id,
        "-c",
    ]
    script = '"$CHROME_BIN" && "$CHROMEDRIVER_BIN" && /usr/local/bin/chromedriver && ls /build /opt /var/cache'
    done = subprocess.run([*run, script], capture_output=True, text=True, timeout=60, check=False)
    assert "cannot access '/build'" in done.stderr, "the build stage's folder stays in the build stage"
    assert done.stdout.startswith("/opt:\nchrome\nchromedriver\n"), done.stderr


def test_missing_lock_stops_the_build_with_its_sentence(newer_base: str, context: Path) -> None:
    """Without chrome.lock nothing is downloaded, and the output says what to run."""
    assert "run `make lock-chrome`" in refusal(context, newer_base)


def test_wrong_checksum_stops_the_build(newer_base: str, context: Path, lock: Callable[..., None]) -> None:
    """A file other than the locked one never gets into an image."""
    lock(sha256="0" * 64)
    assert "is not the file that was locked" in refusal(context, newer_base)


def test_missing_library_stops_the_build_by_name(
    newer_base: str, context: Path, lock: Callable[..., None], program: bytes
) -> None:
    """A Chrome that cannot start is noticed during the build."""
    lock(program.replace(b"libc.so.6", b"libq.so.6"))
    assert "libq.so.6 => not found" in refusal(context, newer_base)


def install(
    rpm_base: str, manager: str, *packages: str, ignores_settings: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the Dockerfile's own installing RUN in a throw-away container that has this package manager."""
    steps = dockerfile.parse_file(str(ROOT / "image" / "Dockerfile"))
    (script,) = [step.value[0] for step in steps if step.cmd.upper() == "RUN" and "microdnf" in step.value[0]]
    wanted = script.replace("set -- alsa-lib", " ".join(("set -- alsa-lib", *packages)))
    called, _, target = manager.partition(" -> ")
    prepare = f"cd /usr/local/bin; mv yum {target or called} 2> /dev/null;"
    prepare += f"ln -s {target} {called};" if target else ""
    prepare += "touch /ignores-settings;" if ignores_settings else ""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", rpm_base, "-c", prepare + wanted]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("manager", MANAGERS)
def test_present_packages_are_installed(rpm_base: str, manager: str) -> None:
    """Each package manager is called in a way it understands."""
    done = install(rpm_base, manager)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nss-1.0-1" in done.stdout


@pytest.mark.parametrize("manager", MANAGERS)
def test_missing_package_stops_the_build_by_name(rpm_base: str, manager: str) -> None:
    """A name that the distribution does not have, as chromedriver was, is an error and no warning."""
    done = install(rpm_base, manager, "chromedriver")
    assert done.returncode != 0
    assert "No package chromedriver available" in done.stdout


def test_package_skipped_in_silence_is_noticed_afterwards(rpm_base: str) -> None:
    """If the package manager skips a name, asking rpm for every name stops the build."""
    done = install(rpm_base, "yum", "chromedriver", ignores_settings=True)
    assert done.returncode != 0
    assert "package chromedriver is not installed" in done.stdout
