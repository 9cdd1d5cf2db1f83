"""Building the image: the docker CLI does it, each step is told as it comes, and the whole output is kept."""

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
from gate.image.builder import environment
from gate.image.context import with_gits_modes
from gate.image.dockerfile import all_arguments
from gate.image.source import label_arguments, proxy_certificates
from gate.text import plain

TIMEOUT_SECONDS = 1800.0
_STEP = re.compile(r"^(?:Step \d+/\d+ : |#\d+ \[)(.*)")
_TAIL_LINES = 15
# Said by the client of every build, and no advice for this one.
_NO_NEWS = re.compile(
    r"DEPRECATED: The legacy builder|Install the buildx|https://docs\.docker\.com/go/buildx|Sending build"
    r"|BuildKit is currently disabled|environment-variable\.$"
)
# The classic builder's own last lines: the whole command once more, and the container that it removes.
_BUILDERS_OWN = re.compile(r"The command '|Removing intermediate container |---> ")
_CERTIFICATES = "PROXY_CA=$(cat proxy-ca.pem)"
_NO_ENGINE = re.compile(r"cannot connect to the docker daemon|is the docker daemon running|error during connect", re.I)
# The classic builder's word, and BuildKit's, when the answer ends in the middle.
_BROKEN_OFF = re.compile(r"^unexpected EOF$|failed to receive status: rpc error", re.I)
# The call that failed carries every build argument, certificates too: more than anybody reads.
_ARGUMENTS = re.compile(r'(?<=/build)\?[^"\s]*')


@dataclass(frozen=True)
class BuiltImage:
    """A build that ended well.

    Attributes:
        image_id: the image that it left.
        tag: the name it was given as well; never what is decided by.
        command: as one would type it.
        log: the whole output.
        seconds: how long it took.
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
        tag: what the image is called as well.
        base_image: passed as BASE_IMAGE if the Dockerfile declares that argument.
        version: for the label, if the Dockerfile declares VERSION.
        platform: what it is built for, as os/architecture; "" for what the engine itself is.
        buildkit: whether the engine has BuildKit (`Engine.buildkit`).
        log: where the whole output goes.
        progress: is told each step of the build.
        timeout: seconds.

    Raises:
        ImageUnavailable: there is no such folder or Dockerfile, or the build fails or does not end.
        EngineUnavailable: there is no docker command, or no engine behind it.
    """
    arguments = build_arguments(context, base_image, version)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, with_gits_modes(context) as folder:
        id_file = Path(scratch, "image-id")
        options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        # Without --force-rm the classic builder leaves the container of a failed step behind.
        command = ["docker", "build", "--force-rm", "--tag", tag, "--iidfile", str(id_file), *options, str(folder)]
        typed = shlex.join(["docker", "build", "--tag", tag, *_shown(arguments), shown_folder(context)])
        # Double quotes, so that the shell of whoever types it fills the certificates in.
        typed = typed.replace(f"'{_CERTIFICATES}'", f'"{_CERTIFICATES}"')
        surroundings = environment(os.environ, platform=platform, buildkit=buildkit)
        _run(command, surroundings, log, progress, timeout, typed)
        image_id = id_file.read_text(encoding="utf-8").strip() if id_file.exists() else ""
    if not image_id:
        raise ImageUnavailable("the build ended without an image", where=_place(log), remedy=f"run `{typed}` by hand")
    return BuiltImage(image_id, tag, typed, log, time.monotonic() - began)


def shown_folder(context: Path) -> str:
    """The folder as it may be recorded: no path of this machine beyond the folder that the run was started in."""
    return _from_here(context, elsewhere=context.name)


def build_arguments(context: Path, base_image: str | None, version: str) -> dict[str, str]:
    """The build arguments of a folder: those of ours that its Dockerfile declares.

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
    # An argument that the Dockerfile does not declare would only make the builder complain.
    declared = all_arguments(dockerfile)
    return {name: value for name, value in wanted.items() if value and name in declared}


def _shown(arguments: Mapping[str, str]) -> list[str]:
    """The arguments as a person would type them: certificates as the file they come from."""
    return [
        word
        for name, value in arguments.items()
        for word in ("--build-arg", _CERTIFICATES if name == "PROXY_CA" else f"{name}={value}")
    ]


def _run(
    command: list[str],
    surroundings: Mapping[str, str],
    log: Path,
    progress: Callable[[str], None],
    timeout: float,
    typed: str,
) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    process, late = _start(command, surroundings), threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    watch = threading.Timer(timeout, end)
    watch.daemon = True
    watch.start()
    try:
        with log.open("w", encoding="utf-8") as file:
            tail = _follow(process, file, progress)
    except BaseException:
        _kill(process)
        raise
    finally:
        watch.cancel()
    if late.is_set():
        raise ImageUnavailable(f"the build did not end within {timeout:.0f} s", where=_place(log),
                               remedy=f"see there how far it came, then run `{typed}`")  # fmt: skip
    if process.returncode:
        raise _failure(tail, process.returncode, log, typed)


def _start(command: list[str], surroundings: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A group of its own, so that the client and whatever it started end together.
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
    said = [line for line in (plain(_ARGUMENTS.sub("", line)) for line in tail) if line and not _NO_NEWS.match(line)]
    if silence := _silence(said):
        return EngineUnavailable(f"the Docker engine does not answer: {silence}", where=_place(log),
                                 remedy="start the Docker engine, or see why it stopped")  # fmt: skip
    # What the failed program said last goes first, where a summary shows one line.
    last = next((line for line in reversed(said) if not _BUILDERS_OWN.match(line)), "it said nothing")
    before = said if said != [last] else []
    return ImageUnavailable(
        "\n      ".join([f"the build failed with exit code {code}: {last}", *before]),
        where=_place(log),
        remedy=f"read the whole output in {_place(log)}, correct the Dockerfile, and try it with `{typed}`",
    )


def _silence(said: list[str]) -> str:
    """The line in which docker says that its engine is not there, or stopped in the middle; "" where it does not."""
    if said and _BROKEN_OFF.search(said[-1]):
        return said[-1]
    return next((line for line in said if _NO_ENGINE.search(line)), "")


def _place(log: Path) -> str:
    """Where a person finds the log: seen from where they stand, if it is below."""
    return _from_here(log, elsewhere=str(log))


def _from_here(path: Path, *, elsewhere: str) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else elsewhere


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        # It ended by itself in between.
        return
