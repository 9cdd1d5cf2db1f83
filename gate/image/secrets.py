"""Secrets in the image: in its environment, its history and its layers. Pure; what is looked for: `detector`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gate.check import CheckResult, Rejection, check
from gate.image.credentials import BASIC_AUTH, PASSWORD
from gate.image.detector import secrets_in
from gate.image.layers import Layer, Layers
from gate.image.records import Records
from gate.image.search import Suspect
from gate.image.values import is_used_value, promises_secret

_REVOKE = "take it out of the build, and revoke it: a later layer that deletes it does not remove it from the image"
# Packages of a distribution, which a package manager left behind when it had installed them.
_PACKAGES = (".deb", ".udeb", ".rpm", ".apk")
_OPEN = "unpack it in the Dockerfile, or leave it out of the image; or pack it smaller, in a format that Python reads"
# What the builders record of the arguments that a RUN was given: |2 TOKEN=x NAME=y /bin/sh -c …
_ARGUMENTS = re.compile(r"(?:^|RUN )\|(?P<count>\d+) (?P<rest>.*)$", re.S)
_ARGUMENT = re.compile(r"(?:^|(?<=\s))(?P<name>[A-Za-z_]\w*)=(?P<value>.*?)(?=\s+[A-Za-z_]\w*=|\s+/\S*sh\s+-|$)", re.S)
_SET = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG|LABEL) (?P<rest>.*)$", re.S)
_SHOWN = 20


@check(
    6, known_bad=lambda: ({"AWS_SECRET_ACCESS_KEY": "ab" * 20}, ("RUN true",), Layers((Layer(),), (), Records(), {}), 0)
)
def no_secret(env: Mapping[str, str], history: Sequence[str], layers: Layers, base_layers: int) -> CheckResult:
    """Nothing that the image adds to its base gives access to anything: whoever pulls it, reads every layer.

    Args:
        env: the environment of the image's configuration.
        history: what the builder recorded of each instruction.
        layers: as they are pushed.
        base_layers: how many of them are the base's.
    """
    return CheckResult.of([*_in_env(env), *_in_history(history), *_in_layers(layers, base_layers)])


def _in_env(env: Mapping[str, str]) -> Iterator[Rejection]:
    for name, value in env.items():
        if _holds(name, value):
            yield Rejection(
                f"the environment variable {name} holds a secret", "Env of the image's configuration", _REVOKE
            )


def _holds(name: str, value: str) -> bool:
    """Whether a variable holds a secret: by what its name promises, or by what its value looks like."""
    return (promises_secret(name) and is_used_value(value)) or bool(secrets_in(value.encode()))


def _in_history(history: Sequence[str]) -> Iterator[Rejection]:
    for number, line in enumerate(history, 1):
        kinds = {secret.kind for secret in secrets_in(line.encode(), ".history")}
        names = [f"the argument {name}" for name, value in _values_in(line) if _holds(name, value)]
        if names or kinds:
            what = ", ".join(names or sorted(kinds))
            yield Rejection(f"the build history holds a secret ({what})", f"history entry {number}", _REVOKE)


def _values_in(line: str) -> list[tuple[str, str]]:
    """The arguments and variables that an instruction was recorded with."""
    recorded = _ARGUMENTS.search(line)
    if recorded:
        found = _ARGUMENT.findall(recorded["rest"])
        return found[: int(recorded["count"])]
    setting = _SET.match(line)
    return [(name, value.strip("\"'")) for name, value in _ARGUMENT.findall(setting["rest"])] if setting else []


def _in_layers(layers: Layers, base_layers: int) -> Iterator[Rejection]:
    total = len(layers.layers)
    if total == 0:
        yield Rejection("the image has no layers, so nothing was searched", "docker save", "see what the build left")
    by_file: dict[tuple[int, str, bool], list[Suspect]] = {}
    for number, suspect in layers.suspects:
        if number > base_layers:
            by_file.setdefault((number, suspect.path, suspect.secret is None), []).append(suspect)
    for (number, path, unread), suspects in by_file.items():
        inside = sorted({suspect.inside for suspect in suspects if suspect.inside})
        place = f"{path} ({', '.join(inside[:_SHOWN])} in it)" if inside else path
        where = f"layer {number} of {total}: {path}"
        if unread and not path.endswith(_PACKAGES):
            yield Rejection(f"{place} cannot be looked into: it {suspects[0].unread}", where, _OPEN)
        elif not unread:
            yield Rejection(f"{place} holds a secret ({_kinds(suspects)})", where, _REVOKE)


def unsearched_packages(layers: Layers, base_layers: int) -> tuple[str, ...]:
    """Packages of the distribution in the image's own layers that are too large, or packed so that none can look in.

    They are what the package manager fetched, and no place for a secret of the build: named, and not refused.
    """
    found = {s.path for number, s in layers.suspects if number > base_layers and s.unread}
    return tuple(
        f"{path} was not searched whole: remove what the package manager keeps, it is of no use in the image"
        for path in sorted(found)
        if path.endswith(_PACKAGES)
    )


def _kinds(suspects: Sequence[Suspect]) -> str:
    kinds = {suspect.secret.kind for suspect in suspects if suspect.secret}
    # A password in a URL is told by its own kind alone.
    return ", ".join(sorted(kinds - {PASSWORD} if BASIC_AUTH in kinds else kinds))
