"""A sandbox: a root made of Debian's packages, and an engine in it that ends with whoever started it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from tests.engines.recipes import Recipe, client_commands

CACHE = Path(__file__).parents[2] / ".cache" / "engines"
_INSIDE = Path(__file__).with_name("inside.sh")
_START_SECONDS = 60.0
# slirp4netns' own name server, which asks this machine's.
_RESOLVER = "nameserver 10.0.2.3\n"


class EngineImpossible(Exception):
    """This engine cannot be had here; the message is the one sentence that says why."""


@dataclass(frozen=True)
class Running:
    """An engine that answers.

    Attributes:
        host: as DOCKER_HOST names it.
        inside: the words before a command that has to run in the engine's network.
        environment: for whoever drives it.
    """

    host: str
    inside: tuple[str, ...]
    environment: dict[str, str]


def make_root(recipe: Recipe, say: Callable[[str], None]) -> Path:
    """The root with the engine's packages, made if it is not there.

    Raises:
        EngineImpossible: the packages cannot be had.
    """
    root = CACHE / (recipe.same_root or recipe.name) / "root"
    if root.exists():
        return root
    for program in ("mmdebstrap", "unshare", "nsenter"):
        if not shutil.which(program):
            raise EngineImpossible(f"a sandbox needs {program}, which is not installed")
    if os.geteuid():
        raise EngineImpossible("a sandbox needs root, for its mounts and its network")
    say(f"a root of {recipe.suite} with {', '.join(recipe.packages)}")
    root.parent.mkdir(parents=True, exist_ok=True)
    part = root.with_name("root.part")
    shutil.rmtree(part, ignore_errors=True)
    made = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(recipe.packages)}", recipe.suite,
         str(part), *recipe.sources],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise EngineImpossible(f"Debian's packages for it cannot be had: {made.stderr.strip().splitlines()[-1:]}")
    (part / "etc/resolv.conf").write_text(_RESOLVER)
    part.rename(root)
    return root


@contextmanager
def running(recipe: Recipe, say: Callable[[str], None]) -> Iterator[Running]:
    """Start the engine and wait until it answers; at the end all that it started is ended.

    Raises:
        EngineImpossible: it does not start.
    """
    root = make_root(recipe, say)
    with ExitStack() as kept:
        # A short path: a socket's may have 107 characters.
        shared = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="engine-")))
        for name, content in recipe.settings.items():
            (shared / name).write_text(content)
        log = kept.enter_context((CACHE / f"{recipe.name}.log").open("wb"))
        # With --kill-child the kernel ends every process of the sandbox when this one is gone, however it went.
        words = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child=SIGKILL", "setpriv", "--pdeathsig",
                 "KILL", "sh", str(_INSIDE), str(root), str(shared), *recipe.command]  # fmt: skip
        outer = kept.enter_context(_process(words, log))
        inner = _first_child(outer, shared / "ready", recipe)
        network = ["--configure", "--mtu=65520", "--netns-type=path", f"/proc/{inner}/ns/net", "tap0"]
        kept.enter_context(_process([*_loaded(root, "usr/bin/slirp4netns"), *network], log))
        (shared / "network").touch()
        host = f"unix://{shared}/docker.sock"
        _await_answer(host, outer, recipe)
        inside = ("nsenter", f"--net=/proc/{inner}/ns/net")
        yield Running(host, inside, _environment(host, shared, root))


def _environment(host: str, shared: Path, root: Path) -> dict[str, str]:
    for path, script in client_commands(root).items():
        command = shared / path
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(script)
        command.chmod(0o755)
    config = shared / "config"
    config.mkdir(exist_ok=True)
    (config / "config.json").write_text(json.dumps({}))
    return {
        **os.environ,
        "DOCKER_HOST": host,
        "DOCKER_CONFIG": str(config),
        "PATH": f"{shared}/bin:{os.environ['PATH']}",
    }


def _loaded(root: Path, program: str) -> list[str]:
    return [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", f"{root}/usr/lib/x86_64-linux-gnu",
            f"{root}/{program}"]  # fmt: skip


@contextmanager
def _process(words: list[str], log: object) -> Iterator[subprocess.Popen[bytes]]:
    # setpriv: ended by the kernel also when this process is killed, and so cannot end it itself.
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *words],
        stdin=subprocess.DEVNULL,
        stdout=log,  # type: ignore[arg-type]
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _first_child(outer: subprocess.Popen[bytes], ready: Path, recipe: Recipe) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():
        _still_there(outer, deadline, recipe)
        time.sleep(0.05)
    return int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()[0])


def _await_answer(host: str, outer: subprocess.Popen[bytes], recipe: Recipe) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            docker.DockerClient(base_url=host, timeout=10).ping()
            return
        except (DockerException, RequestException):
            _still_there(outer, deadline, recipe)
            time.sleep(0.2)


def _still_there(outer: subprocess.Popen[bytes], deadline: float, recipe: Recipe) -> None:
    if outer.poll() is None and time.monotonic() < deadline:
        return
    said = (CACHE / f"{recipe.name}.log").read_text(errors="replace").strip().splitlines()[-1:]
    how = "ended" if outer.poll() is not None else f"does not answer within {_START_SECONDS:.0f} s"
    raise EngineImpossible(f"the engine {how}: {said[0] if said else 'it said nothing'}")
