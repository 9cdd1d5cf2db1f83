"""`python -m localaws` (`make local`): the local target in the foreground, for exploring by hand."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from gate.caller_permissions.required import policies_of
from gate.errors import GateError
from gate.release_file import release_of
from localaws import LocalTargetError, behaviours
from localaws.scanner import SHIPPED
from localaws.seed.release import SeededRelease
from localaws.target import STATE, LocalTarget

_INI = Path(__file__).resolve().parents[1] / "pytest.ini"
_DESCRIPTION = """\
Runs the local target in the foreground, seeded for the release in pytest.ini: a registry with ECR's API and rules in
front of it, and MiniStack for STS, IAM, Lambda and EventBridge; on 127.0.0.1 only. It prints shell exports for any AWS
client, docker and skopeo, and stays until Ctrl-C. They are in a file too; in another terminal:

  . .cache/localaws/exports.sh
  aws ecr describe-repositories --repository-names "$REPOSITORY"
  aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
"""
# The role of each name that --role takes.
_ROLES = {
    "ci": "ci_role",
    "verify": "night_role",
    "administrator": "administrator",
    "developer": "developer",
    "lambda": "lambda_role",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the local target until it is interrupted; return the exit code."""
    options = _options(arguments)
    stop, exports = threading.Event(), options.state / "exports.sh"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        advisories, wanted = (SHIPPED, *options.advisories), behaviours.parse(" ".join(options.behaves))
        release = seeded_release(options.ini)
        role = getattr(release, _ROLES[options.role])
        with LocalTarget(release, options.state, keep=options.keep, advisories=advisories, behaviours=wanted) as target:
            _announce(target, role, exports)
            stop.wait()
            exports.unlink()
    except (LocalTargetError, GateError) as refusal:
        print(f"localaws: {refusal}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m localaws", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="continue with the last run's state, not the seeded one")
    parser.add_argument("--state", type=Path, default=STATE, help="folder with the state (default: .cache/localaws)")
    parser.add_argument("--role", choices=_ROLES, default="ci", help="whose credentials to print")
    parser.add_argument("--ini", type=Path, default=_INI, help="the pytest.ini that states the release")
    parser.add_argument(
        "--advisories", type=Path, action="append", default=[], help="more OSV records for the scanner (repeatable)"
    )
    switched_on = os.environ.get(behaviours.VARIABLE, "").split()
    parser.add_argument(
        "--behaves",
        metavar="NAME",
        action="append",
        default=switched_on,
        help=f"what it does by itself, as AWS does (repeatable): {', '.join(vars(behaviours.Behaviours()))}",
    )
    return parser.parse_args(arguments)


def seeded_release(ini: Path) -> SeededRelease:
    """What is seeded for the release that a pytest.ini states.

    Raises:
        LocalTargetError: the file cannot be read, or the release cannot be simulated.
        GateError: the file does not state a whole release.
    """
    try:
        release = release_of(ini)
    except (OSError, KeyError, ValueError) as error:
        raise LocalTargetError(f"{ini} has no section [pytest] that can be read: {error}") from error
    return SeededRelease.of(release, ini.parent / release.image_context, policies_of(release))


def no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which clients reach 127.0.0.1 without a proxy, and all hosts that were excepted before.

    Some programs read the name in lower case first and some in upper case, so both have the same value.
    """
    names = ("no_proxy", "NO_PROXY")
    given = ",".join(environment.get(name, "") for name in names)
    hosts = dict.fromkeys(host.strip() for host in f"{given},127.0.0.1,localhost".split(",") if host.strip())
    # Beside other hosts Python's urllib does not take an asterisk for "every host".
    return dict.fromkeys(names, "*" if "*" in hosts else ",".join(hosts))


def _announce(target: LocalTarget, role: str, exports: Path) -> None:
    repository = {"REGISTRY": target.registry, "REPOSITORY": target.release.repository}
    variables = {**target.environment(role), **repository, **no_proxy(os.environ)}
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    exports.touch(mode=0o600)
    exports.write_text(text, encoding="utf-8")
    print(text)
    print(f"# The local target runs as {role}, until Ctrl-C. These lines: {exports}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
