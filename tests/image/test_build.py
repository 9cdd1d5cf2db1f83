"""The build: its output is kept as it comes, it ends in time, and each failure is a sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.errors import EngineUnavailable, ImageUnavailable
from gate.image.build import BuiltImage, build_image, shown_folder

IMAGE_ID = "sha256:" + "a" * 64
# Finds the file that --iidfile names and writes the image ID there, as docker does.
GOOD = f"""
for word in "$@"; do
    [ "$previous" = --iidfile ] && printf %s {IMAGE_ID} > "$word"
    previous=$word
done
echo "Step 1/2 : FROM scratch"; echo " ---> 123"; echo "Step 2/2 : COPY x /"; echo "a warning" >&2
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder with a Dockerfile that declares BASE_IMAGE."""
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE_IMAGE=a:1\nFROM ${BASE_IMAGE}\n")
    return folder


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a docker command on the PATH that notes its arguments and runs some shell."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def make(script: str) -> Path:
        command, calls = tmp_path / "docker", tmp_path / "calls"
        command.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" > "{calls}"\n{script}\n')
        command.chmod(0o755)
        return calls

    return make


@pytest.fixture
def build(context: Path, tmp_path: Path) -> Callable[..., BuiltImage]:
    """Builds the context with default settings."""

    def run(folder: Path = context, **changes: object) -> BuiltImage:
        settings = {"tag": "x:latest", "base_image": None, "log": tmp_path / "build.log", "progress": lambda _: None}
        return build_image(folder, **{**settings, **changes})  # type: ignore[arg-type]

    return run


def test_image_id_log_and_progress_are_what_docker_gave(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage]
) -> None:
    """The image is identified by docker's image ID, the log holds both streams, and each step is progress."""
    docker(GOOD)
    told: list[str] = []
    built = build(progress=told.append)
    assert built.image_id == IMAGE_ID
    assert told == ["FROM scratch", "COPY x /"]
    assert "a warning" in built.log.read_text()
    assert built.command == "docker build --tag x:latest context"


def test_base_is_passed_only_where_it_is_declared(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage], context: Path
) -> None:
    """A Dockerfile without BASE_IMAGE is built without the argument."""
    calls = docker(GOOD)
    build(base_image="b:2")
    assert "BASE_IMAGE=b:2" in calls.read_text().splitlines()
    (context / "Dockerfile").write_text("FROM a:1\n")
    build(base_image="b:2")
    assert "BASE_IMAGE" not in calls.read_text()


def test_certificates_are_passed_but_not_shown(
    docker: Callable[[str], Path],
    build: Callable[..., BuiltImage],
    context: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host's own authority reaches the build, and the shown command stays readable."""
    authority = "-----BEGIN CERTIFICATE-----\nb3VyIG93bg==\n-----END CERTIFICATE-----"
    (tmp_path / "ca.pem").write_text(authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    (context / "Dockerfile").write_text('FROM a:1\nARG PROXY_CA=""\n')
    calls = docker(GOOD)
    built = build()
    assert f"PROXY_CA={authority}" in calls.read_text()
    assert "CERTIFICATE" not in built.command


def test_failed_build_ends_with_what_docker_said(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage], tmp_path: Path
) -> None:
    """The program's last line comes first, without the builder's own lines; the log keeps everything."""
    own = "echo 'Removing intermediate container 1a'; echo \"The command '/bin/sh -c x' returned a non-zero code\""
    said = "echo 'Step 3/9 : RUN apt-get'; echo 'E: Unable to locate package chromedriver'"
    docker(f"{said}; {own}; exit 100")
    with pytest.raises(ImageUnavailable) as failure:
        build()
    assert "Unable to locate package chromedriver" in failure.value.cause
    assert "RUN apt-get" in failure.value.cause
    assert failure.value.cause.splitlines()[0].endswith("100: E: Unable to locate package chromedriver")
    assert failure.value.where == str(tmp_path / "build.log")
    assert failure.value.where in failure.value.remedy


def test_what_docker_says_of_every_build_is_no_cause(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage]
) -> None:
    """The builder's routine messages are left out, and a single line is not repeated."""
    own = (
        "echo 'DEPRECATED: The legacy builder is deprecated'; echo '            Install the buildx component'; "
        "echo '            https://docs.docker.com/go/buildx/'; echo 'Sending build context to Docker daemon'"
    )
    docker(f"{own}; echo 'dockerfile parse error line 23: unknown instruction: FORM'; exit 1")
    with pytest.raises(ImageUnavailable) as failure:
        build()
    assert failure.value.cause == "the build failed with exit code 1: dockerfile parse error line 23: " \
                                  "unknown instruction: FORM"  # fmt: skip


def test_the_log_is_named_as_it_is_found_from_here(
    docker: Callable[[str], Path],
    build: Callable[..., BuiltImage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Relative to the current folder if it is below it; a build without output is said to have none."""
    docker("exit 3")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageUnavailable, match="exit code 3: there was no output") as failure:
        build(log=tmp_path / "reports" / "build.log")
    assert failure.value.where == "reports/build.log"


@pytest.mark.slow
def test_hung_build_is_ended_with_all_that_it_started(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage], tmp_path: Path
) -> None:
    """The process group is killed after the timeout, which the message names."""
    docker(f'sleep 60 & echo $! > "{tmp_path}/child"; wait')
    begun = time.monotonic()
    with pytest.raises(ImageUnavailable, match="did not end within 1 s"):
        build(timeout=1)
    assert time.monotonic() - begun < 20
    stat = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_build_without_an_image_is_no_success(docker: Callable[[str], Path], build: Callable[..., BuiltImage]) -> None:
    """Exit code 0 without an image ID is a failure."""
    docker("exit 0")
    with pytest.raises(ImageUnavailable, match="ended without an image"):
        build()


def test_silent_engine_is_told_apart_from_a_bad_dockerfile(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage]
) -> None:
    """Docker's message about its engine makes it an engine error."""
    docker("echo 'ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1")
    with pytest.raises(EngineUnavailable, match="Cannot connect to the Docker daemon"):
        build()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('error during connect: Post "http://%2Fd.sock/v1.41/build?buildargs=%7BPROXY_CA%7D&t=x": EOF', '/build": EOF'),
        ("Step 1/9 : FROM a\nunexpected EOF", "unexpected EOF"),
        ("ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF", "EOF"),
    ],
    ids=["refused", "classic", "buildkit"],
)
def test_engine_that_stops_in_the_middle_is_no_fault_of_the_dockerfile(
    docker: Callable[[str], Path], build: Callable[..., BuiltImage], said: str, word: str
) -> None:
    """It is an engine error, without the build arguments."""
    docker(f"cat >&2 <<'SAID'\n{said}\nSAID\nexit 1")
    with pytest.raises(EngineUnavailable, match="the Docker engine does not answer") as failure:
        build()
    assert word in failure.value.cause
    assert "PROXY_CA" not in str(failure.value)


def test_absent_docker_is_one_sentence(
    build: Callable[..., BuiltImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is to install docker."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(EngineUnavailable, match="docker cannot be run"):
        build()


def test_context_that_is_no_folder_is_named(build: Callable[..., BuiltImage], tmp_path: Path) -> None:
    """A file or a missing folder is named, with the option to correct."""
    for wrong in (tmp_path / "nothing", Path(__file__)):
        with pytest.raises(ImageUnavailable, match=wrong.name) as failure:
            build(wrong)
        assert "--image-context" in failure.value.remedy


def test_missing_dockerfile_is_named(build: Callable[..., BuiltImage], tmp_path: Path) -> None:
    """A folder without a Dockerfile is named."""
    with pytest.raises(ImageUnavailable, match="no Dockerfile") as failure:
        build(tmp_path)
    assert failure.value.where == str(tmp_path)


def test_a_recorded_command_names_the_folder_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the current folder; for a folder elsewhere only its name."""
    monkeypatch.chdir(tmp_path)
    assert shown_folder(tmp_path / "other" / "image") == "other/image"
    assert shown_folder(Path("/srv/of/a/person/image")) == "image"
