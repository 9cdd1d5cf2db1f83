"""The local target: the parts of AWS that a release touches, on 127.0.0.1, for one run.

    from localaws.target import LocalTarget

    with LocalTarget(SeededRelease.of(release, context, policies)) as target:
        session = target.session()                                     # boto3.Session as the CI role
        ecr = session.client("ecr", endpoint_url=target.endpoint)      # likewise sts, iam, lambda, events
        login = ecr.get_authorization_token()["authorizationData"][0]  # proxyEndpoint: http://127.0.0.1:port
        os.environ | target.environment()                              # for other programs: AWS_ENDPOINT_URL, …

There is one endpoint for everything: `target.endpoint` (`AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_ECR` alike). It
answers ECR and /v2/ itself and passes the rest on to MiniStack. `target.registry` is the `host:port` to push to. Roles:
`target.session(target.release.administrator)`, and the others of `SeededRelease`. Only credentials that were taken from
this target (`environment()`, `keys()`, or a role assumed through the endpoint) are accepted. MiniStack's root keys,
which it does not check, are refused.

State: a run starts from the seeded state unless `keep=True`; blobs always stay, in a Docker volume. The state that a
run leaves is in the `state` folder until the next run without `keep`. One run at a time may use a state folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import boto3
import docker

from gate.engine.leftovers import sweep
from localaws import LocalTargetError, access_keys, behaviours, child
from localaws.access_keys import AccessKeys
from localaws.behaviours import Behaviours
from localaws.ministack import MiniStack
from localaws.registry.container import BLOBS, Registry
from localaws.scanner import SHIPPED
from localaws.seed import repository, roles, zip_function
from localaws.seed.release import SeededRelease

_CACHE = Path(__file__).resolve().parent.parent / ".cache"
STATE = _CACHE / "localaws"
PACKAGES = _CACHE / "packages"


@dataclass
class LocalTarget:
    """One run of the local target; a context manager.

    Attributes:
        release: what is seeded.
        state: the folder with the state of this target.
        keep: continue with the state that the last run left, instead of the seeded one.
        advisories: OSV records for the scanner: directories, archives or files; by default those that ship with it.
        scanner: `module:function` that makes another `localaws.ecr.scanning.Scanner` than `localaws.scanner`'s.
        clock_ahead: how far ECR's clock (scans, passwords, push times) is ahead, for tests that span two nights.
        volume: the Docker volume that keeps the blobs.
        behaviours: what it does by itself, as AWS does; by default, what the variable LOCAL_BEHAVIOURS names.
        endpoint: `http://127.0.0.1:port` for every AWS client, once started.
    """

    release: SeededRelease
    state: Path = STATE
    keep: bool = False
    advisories: tuple[Path, ...] = (SHIPPED,)
    scanner: str | None = None
    clock_ahead: timedelta = timedelta()
    volume: str = BLOBS
    behaviours: Behaviours | None = None
    endpoint: str = ""

    def __post_init__(self) -> None:
        if self.behaviours is None:
            self.behaviours = behaviours.parse(os.environ.get(behaviours.VARIABLE, ""))
        self._running = ExitStack()
        self._keys: dict[str, AccessKeys] = {}

    def __enter__(self) -> LocalTarget:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and seed it.

        Raises:
            LocalTargetError: another run uses this state folder, or a part does not start.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; the state and the blobs stay."""
        self._running.close()

    def set_behaviours(self, wanted: Behaviours) -> None:
        """Set what the target does by itself from the next push on."""
        self.behaviours = wanted
        behaviours.write(self.state, wanted)

    @property
    def registry(self) -> str:
        """The `host:port` that GetAuthorizationToken's proxyEndpoint names."""
        return self.endpoint.removeprefix("http://")

    def keys(self, role: str = "") -> AccessKeys:
        """Credentials of a seeded role, the CI role unless another is named."""
        return self._keys[role or self.release.ci_role]

    def session(self, role: str = "") -> boto3.Session:
        """A boto3 session of a seeded role; give its clients `endpoint_url=target.endpoint`."""
        return access_keys.session(self.keys(role), self.release.region)

    def environment(self, role: str = "") -> dict[str, str]:
        """The environment variables with which any AWS client uses this target."""
        region = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), self.release.region)
        endpoints = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ENDPOINT_URL_ECR": self.endpoint}
        return {**endpoints, **region, **self.keys(role).environment()}

    def _start(self) -> None:
        self._running.enter_context(self._lock())
        if not self.keep:
            self._clear_state()
        self.set_behaviours(self.behaviours or Behaviours())
        client = _docker()
        self._running.callback(client.close)
        sweep(client)
        registry = Registry(client, self.volume)
        ministack = MiniStack(self.state, self.release.account, self.release.region)
        self._running.callback(registry.stop)
        self._running.callback(ministack.stop)
        gateway = child.spawn("localaws.ecr", self._gateway_log)
        self._running.callback(child.stop, gateway)
        with ThreadPoolExecutor(1) as executor:
            starting = executor.submit(registry.start)
            ministack.start()
            self._take_keys(ministack.endpoint)
            starting.result()
        child.send_settings(gateway, self._gateway_settings(registry.host, ministack.endpoint))
        port = json.loads(child.ready_line(gateway, self._gateway_log))["port"]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._seed()

    @property
    def _gateway_log(self) -> Path:
        return self.state / "ecr.log"

    def _lock(self) -> IO[str]:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.state / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            lock.close()
            raise LocalTargetError(
                f"another run uses the local target's state in {self.state}: wait for it, or give another folder"
            ) from taken
        return lock

    def _clear_state(self) -> None:
        for each in self.state.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each.name != "lock":
                each.unlink()

    def _take_keys(self, ministack: str) -> None:
        """Seed the roles as root, and take the credentials of each."""
        release, root = self.release, access_keys.root_session(self.release)
        roles.seed(root.client("iam", endpoint_url=ministack), release)
        sts = root.client("sts", endpoint_url=ministack)
        assumed = (release.administrator, release.developer, release.lambda_role)
        workflows = {release.ci_role: release.ci_token_subject, release.night_role: release.night_token_subject}
        self._keys = {
            **{role: access_keys.of_role(sts, release.role_arn(role)) for role in assumed},
            **{role: access_keys.of_the_workflow(sts, release, role, whose) for role, whose in workflows.items()},
        }

    def _gateway_settings(self, registry: str, ministack: str) -> dict[str, Any]:
        return {
            "account": self.release.account,
            "region": self.release.region,
            "state": str(self.state),
            "registry": registry,
            "ministack": ministack,
            "scanner": self.scanner,
            "packages": str(PACKAGES),
            "advisories": [str(path.resolve()) for path in self.advisories],
            "clock_ahead_seconds": self.clock_ahead.total_seconds(),
            "issued": [[keys.access_key, keys.secret_key, keys.token] for keys in self._keys.values()],
        }

    def _seed(self) -> None:
        administrator = self.session(self.release.administrator)
        repository.seed(administrator.client("ecr", endpoint_url=self.endpoint), self.release)
        functions = administrator.client("lambda", endpoint_url=self.endpoint)
        events, scheduler = (administrator.client(each, endpoint_url=self.endpoint) for each in ("events", "scheduler"))
        zip_function.seed(functions, events, scheduler, self.release)


def _docker() -> docker.DockerClient:
    try:
        return docker.from_env(timeout=120)
    except docker.errors.DockerException as error:
        raise LocalTargetError(
            f"the Docker engine does not answer ({error}): start it, or let `make accept` set it up"
        ) from error
