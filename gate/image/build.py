"""Building an image with the docker CLI: its steps are shown as progress, its whole output is kept in a log."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gate.errors import EngineUnavailable, GateError, ImageUnavailable
from gate.image.build_inputs import environment, label_arguments, proxy_certificates, with_git_file_modes
from gate.image.dockerfile import all_arguments
from gate.text import plain

TIMEOUT_SECONDS = 1800.0
_STEP = re.compile(r"^(?:Step \d+/\d+ : |#\d+ \[)(.*)")
_TAIL_LINES = 15
# Messages of the CLI that come with every build.
_ROUTINE = re.compile(
    r"DEPRECATED: The legacy builder|Install the buildx|https://docs\.docker\.com/go/buildx|Sending build"
    r"|BuildKit is currently disabled|environment-variable\.$"
)
# The last lines of the classic builder: the command again, and the container that it removes.
_BUILDER_LINES = re.compile(r"The command '|Removing intermediate container |---> ")
_CERTIFICATES = "PROXY_CA=$(cat proxy-ca.pem)"
_NO_ENGINE = re.compile(r"cannot connect to the docker daemon|is the docker daemon running|error during connect", re.I)
# The messages of the classic builder and of BuildKit when the engine's response is cut off.
_CUT_OFF = re.compile(r"^unexpected EOF$|failed to receive status: rpc error", re.I)
# The URL of a failed call contains every build argument, certificates included.
_ARGUMENTS = re.compile(r'(?<=/build)\?[^"\s]*')


@dataclass(frozen=True)
class BuiltImage:
    """The image of a successful build.

    Attributes:
        image_id: the image; every decision is about this ID.
        tag: a name of the image.
        command: as a person would type it.
        log: the whole output.
        seconds: the duration.
    """

    image_id: str
    tag: str
    command: str
    log: Path
    seconds: float


def build_image(  # noqa: PLR0913 - all but the folder by name
    context: Path,
    *,
    tag: str,
    base_image: str | None,
    version: str = "",
    platform: str = "",
    buildkit: bool = True,
    log: Path,
    progress: Callable[[str], None],
    timeout: float = TIMEOUT_SECONDS,
) -> BuiltImage:
    """Build a folder's Dockerfile.

    Args:
        context: the folder; the build sees nothing outside it.
        tag: a name for the image.
        base_image: the build argument BASE_IMAGE, if the Dockerfile declares it.
        version: the build argument VERSION, for the label, if the Dockerfile declares it.
        platform: to build for, as os/architecture; "" for that of the engine.
        buildkit: whether the engine has BuildKit (`Engine.buildkit`).
        log: the file for the whole output.
        progress: called with each step of the build.
        timeout: seconds.

    Raises:
        ImageUnavailable: there is no such folder or Dockerfile, or the build fails or exceeds the timeout.
        EngineUnavailable: there is no docker command, or the engine does not answer.
    """
    arguments = build_arguments(context, base_image, version)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, with_git_file_modes(context) as folder:
        id_file = Path(scratch, "image-id")
        options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        # --force-rm: the classic builder would leave the container of a failed step behind.
        command = ["docker", "build", "--force-rm", "--tag", tag, "--iidfile", str(id_file), *options, str(folder)]
        typed = shlex.join(["docker", "build", "--tag", tag, *_shown(arguments), shown_folder(context)])
        # Double quotes, so that a shell substitutes the certificates.
        typed = typed.replace(f"'{_CERTIFICATES}'", f'"{_CERTIFICATES}"')
        variables = environment(os.environ, platform=platform, buildkit=buildkit)
        _run(command, variables, log, progress, timeout, typed)
        image_id = id_file.read_text(encoding="utf-8").strip() if id_file.exists() else ""
    if not image_id:
        raise ImageUnavailable("the build ended without an image", where=_place(log), remedy=f"run `{typed}` by hand")
    return BuiltImage(image_id, tag, typed, log, time.monotonic() - began)


def shown_folder(path: Path, elsewhere: str = "") -> str:
    """A path for evidence and messages: relative to the current folder, or what is said elsewhere (else its name)."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else elsewhere or path.name


def build_arguments(context: Path, base_image: str | None, version: str) -> dict[str, str]:
    """The build arguments that the gate sets and the folder's Dockerfile declares.

    Raises:
        ImageUnavailable: there is no such folder or Dockerfile.
    """
    if not context.is_dir():
        raise ImageUnavailable(f"{context} is no folder", remedy="name the folder of a Dockerfile with --image-context")
    dockerfile = context / "Dockerfile"
    if not dockerfile.is_file():
        raise ImageUnavailable(
            "there is no Dockerfile", where=str(context), remedy="name its folder with --image-context"
        )
    wanted = {**label_arguments(context, version), "PROXY_CA": proxy_certificates(), "BASE_IMAGE": base_image or ""}
    # The builder warns of arguments that the Dockerfile does not declare.
    declared = all_arguments(dockerfile)
    return {name: value for name, value in wanted.items() if value and name in declared}


def _shown(arguments: Mapping[str, str]) -> list[str]:
    """The arguments as a person would type them: certificates are read from a file."""
    return [
        word
        for name, value in arguments.items()
        for word in ("--build-arg", _CERTIFICATES if name == "PROXY_CA" else f"{name}={value}")
    ]


def _run(
    command: list[str],
    variables: Mapping[str, str],
    log: Path,
    progress: Callable[[str], None],
    timeout: float,
    typed: str,
) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    began, process = time.monotonic(), _start(command, variables)
    timer = threading.Timer(timeout, _kill, [process])
    timer.daemon = True
    timer.start()
    try:
        with log.open("w", encoding="utf-8") as file:
            tail = _follow(process, file, progress)
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()
    if process.returncode and time.monotonic() - began >= timeout:
        raise ImageUnavailable(f"the build did not end within {timeout:.0f} s", where=_place(log),
                               remedy=f"see there how far it came, then run `{typed}`")  # fmt: skip
    if process.returncode:
        raise _failure(tail, process.returncode, log, typed)


def _start(command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A process group of its own, so that the client and its child processes end together.
            start_new_session=True,
        )
    except OSError as error:
        cause = f"docker cannot be run: {error.strerror}"
        raise EngineUnavailable(cause, remedy="install the docker CLI") from error


def _follow(process: subprocess.Popen[str], file: IO[str], progress: Callable[[str], None]) -> list[str]:
    tail: list[str] = []
    for line in process.stdout or ():
        file.write(line)
        file.flush()
        tail = [*tail[-_TAIL_LINES:], line.rstrip()]
        if step := _STEP.match(line):
            progress(plain(step[1], 110))
    process.wait()
    return tail


def _failure(tail: list[str], code: int, log: Path, typed: str) -> GateError:
    said = [line for line in (plain(_ARGUMENTS.sub("", line)) for line in tail) if line and not _ROUTINE.match(line)]
    if absent := _engine_error(said):
        return EngineUnavailable(f"the Docker engine does not answer: {absent}", where=_place(log),
                                 remedy="start the Docker engine, or see why it stopped")  # fmt: skip
    # The last line of the failed program comes first, because a summary shows one line.
    last = next((line for line in reversed(said) if not _BUILDER_LINES.match(line)), "there was no output")
    before = said if said != [last] else []
    return ImageUnavailable(
        "\n      ".join([f"the build failed with exit code {code}: {last}", *before]),
        where=_place(log),
        remedy=f"read the whole output in {_place(log)}, correct the Dockerfile, and try it with `{typed}`",
    )


def _engine_error(said: list[str]) -> str:
    """The line that says that there is no engine, or that it stopped during the build; "" for neither."""
    if said and _CUT_OFF.search(said[-1]):
        return said[-1]
    return next((line for line in said if _NO_ENGINE.search(line)), "")


def _place(log: Path) -> str:
    return shown_folder(log, elsewhere=str(log))


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended by itself
