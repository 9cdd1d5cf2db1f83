"""Whether the image holds secrets in its environment, its build history or its layers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gate.check import CheckResult, Rejection, check
from gate.image.layers import Layer, Layers
from gate.image.package_records import PackageRecords
from gate.image.secrets.detector import secrets_in
from gate.image.secrets.file_search import SecretFinding
from gate.image.secrets.passwords import BASIC_AUTH, PASSWORD
from gate.image.secrets.values import is_used_value, names_secret

_REVOKE = "take it out of the build, and revoke it: a later layer that deletes it does not remove it from the image"
# Packages of a distribution, which the package manager leaves in its cache.
_PACKAGES = (".deb", ".udeb", ".rpm", ".apk")
_OPEN = "unpack it in the Dockerfile, or leave it out of the image; or pack it smaller, in a format that Python reads"
# How builders record the arguments of a RUN: |2 TOKEN=x NAME=y /bin/sh -c …
_ARGUMENTS = re.compile(r"(?:^|RUN )\|(?P<count>\d+) (?P<rest>.*)$", re.S)
_ARGUMENT = re.compile(r"(?:^|(?<=\s))(?P<name>[A-Za-z_]\w*)=(?P<value>.*?)(?=\s+[A-Za-z_]\w*=|\s+/\S*sh\s+-|$)", re.S)
_SET = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG|LABEL) (?P<rest>.*)$", re.S)
_SHOWN = 20
# The name of a file in which commands stand.
_AS_COMMAND = "x.history"


def _known_bad() -> tuple[Mapping[str, str], Sequence[str], Layers, int]:
    return {"AWS_SECRET_ACCESS_KEY": "ab" * 20}, ("RUN true",), Layers((Layer(),), (), PackageRecords(), {}), 0


@check(6, known_bad=_known_bad)
def no_secret(
    env: Mapping[str, str],
    history: Sequence[str],
    layers: Layers,
    base_layers: int,
    other: Mapping[str, str] | None = None,
) -> CheckResult:
    """The image adds no secret to its base. Everyone who pulls an image can read all of its layers.

    Args:
        env: the environment of the image's configuration.
        history: the builder's record of each instruction.
        layers: as they are pushed.
        base_layers: how many of them, the lowest, are the base's.
        other: further texts of the configuration, by what holds them, such as "the label x".
    """
    settings = {**{f"the environment variable {name}": value for name, value in env.items()}, **(other or {})}
    return CheckResult.of([*_in_settings(settings), *_in_history(history), *_in_layers(layers, base_layers)])


def _in_settings(settings: Mapping[str, str]) -> Iterator[Rejection]:
    for what, value in settings.items():
        if _is_secret(what.rpartition(" ")[2], value):
            yield Rejection(f"{what} holds a secret", "the image's configuration", _REVOKE)


def _is_secret(name: str, value: str) -> bool:
    """Whether a variable holds a secret, by its name or by its value."""
    return (names_secret(name) and is_used_value(value)) or bool(secrets_in(value.encode(), _AS_COMMAND))


def _in_history(history: Sequence[str]) -> Iterator[Rejection]:
    for number, line in enumerate(history, 1):
        kinds = {secret.kind for secret in secrets_in(line.encode(), _AS_COMMAND)}
        names = [f"the argument {name}" for name, value in _values_in(line) if _is_secret(name, value)]
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
    by_file: dict[tuple[int, str, bool], list[SecretFinding]] = {}
    for number, finding in layers.findings:
        if number > base_layers:
            by_file.setdefault((number, finding.path, finding.secret is None), []).append(finding)
    for (number, path, unread), findings in by_file.items():
        inside = sorted({finding.inside for finding in findings if finding.inside})
        place = f"{path} ({', '.join(inside[:_SHOWN])} in it)" if inside else path
        where = f"layer {number} of {total}: {path}"
        if unread and not path.endswith(_PACKAGES):
            yield Rejection(f"{place} cannot be searched: it {findings[0].unread}", where, _OPEN)
        elif not unread:
            yield Rejection(f"{place} holds a secret ({_kinds(findings)})", where, _REVOKE)


def unsearched_packages(layers: Layers, base_layers: int) -> tuple[str, ...]:
    """The distribution's packages in the image's own layers that could not be searched, a sentence each.

    They come from the package manager and hold no secret of the build, so they are a warning and no rejection.
    """
    found = {s.path for number, s in layers.findings if number > base_layers and s.unread}
    return tuple(
        f"{path} was not searched whole: remove the cache of the package manager from the image"
        for path in sorted(found)
        if path.endswith(_PACKAGES)
    )


def _kinds(findings: Sequence[SecretFinding]) -> str:
    kinds = {finding.secret.kind for finding in findings if finding.secret}
    # A password in a URL matches both patterns; its own kind is enough.
    return ", ".join(sorted(kinds - {PASSWORD} if BASIC_AUTH in kinds else kinds))
