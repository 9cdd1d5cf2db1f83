"""The images that a Dockerfile builds on, with their arguments filled in. Pure but for reading the file."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from gate.errors import ImageUnavailable
from gate.judgement import Judgement, Rejection, judge, reject

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_FROM = re.compile(r"^(?:--platform=\S+\s+)?[\"']?(?P<image>[^\s\"']+)[\"']?(?:\s+AS\s+(?P<stage>\S+))?$", re.I)
# Files may also be taken out of an image: by COPY --from=IMAGE, by each RUN --mount=…,from=IMAGE. A number is a stage.
_TAKEN_FROM = re.compile(r"(?:--|[=,\"'])from=([^,]+)", re.I)


@dataclass(frozen=True)
class From:
    """One place of a Dockerfile that names an image to build on or to copy from.

    Attributes:
        line: its number in the file, from 1.
        image: what it names, its arguments filled in.
        stage: the name that it gives its stage ("" for none).
        instruction: FROM, COPY, ADD or RUN.
    """

    line: int
    image: str
    stage: str
    instruction: str = "FROM"


def _parsed(path: Path) -> list[dict[str, Any]]:
    from dockerfile_parse import DockerfileParser

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImageUnavailable(f"the Dockerfile cannot be read: {error}", where=str(path)) from error
    parser = DockerfileParser(fileobj=io.BytesIO(text.encode()))
    return list(parser.structure)


def all_arguments(path: Path) -> frozenset[str]:
    """The names of all arguments that the Dockerfile declares, in any stage.

    Raises:
        ImageUnavailable: the file cannot be read.
    """
    return frozenset(name for each in _parsed(path) for name, _ in _declared(each, path))


def from_lines(path: Path, arguments: Mapping[str, str]) -> tuple[From, ...]:
    """Every image that a Dockerfile takes from elsewhere, as a build with these arguments resolves it.

    Raises:
        ImageUnavailable: the file cannot be read, or a FROM cannot be understood.
    """
    parsed, found = _parsed(path), []
    # Only an ARG before the first FROM may be used in one, and only there does a build argument count for it.
    values: dict[str, str] = {}
    for each in parsed:
        if each["instruction"] == "FROM":
            found.append(_from(each, values, path))
            continue
        found += [From(each["startline"] + 1, image, "", each["instruction"]) for image in _taken(each["value"])]
        if not found:
            values |= {name: arguments.get(name, _filled(default, values)) for name, default in _declared(each, path)}
    return tuple(found)


def _taken(value: str) -> list[str]:
    """The images that an instruction's flags take files out of."""
    flags = takewhile(lambda word: word.startswith("--"), value.split())
    return [image for flag in flags for image in _TAKEN_FROM.findall(flag) if not image.isdigit()]


def _declared(parsed: Mapping[str, Any], path: Path) -> list[tuple[str, str]]:
    """The names and defaults of an ARG; nothing for another instruction."""
    if parsed["instruction"] != "ARG":
        return []
    try:
        words = shlex.split(parsed["value"])
    except ValueError as error:
        where = f"{path.name}:{parsed['startline'] + 1}"
        raise ImageUnavailable(f"the line `ARG {parsed['value']}` cannot be read: {error}", where=where) from error
    return [(name, default) for name, _, default in (word.partition("=") for word in words)]


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda v: values.get(v[1] or v[3]) or v[2] or "", text)


def _from(parsed: Mapping[str, Any], values: Mapping[str, str], path: Path) -> From:
    line = parsed["startline"] + 1
    found = _FROM.match(_filled(parsed["value"], values).strip())
    if found is None:
        raise ImageUnavailable(f"the line `FROM {parsed['value']}` names no image", where=f"{path.name}:{line}")
    return From(line, found["image"], found["stage"] or "")


@judge(6, known_bad=lambda: ((From(1, "ubuntu:latest", ""),), ("public.ecr.aws/lambda/python:3.11",)))
def bases_approved(froms: Sequence[From], approved: Sequence[str]) -> Judgement:
    """Each FROM names an approved base, an earlier stage, or nothing at all (`scratch`)."""
    if not froms:
        return reject("the Dockerfile has no FROM", where="Dockerfile", remedy=f"build FROM {' or '.join(approved)}")
    return Judgement.of(
        Rejection(
            f"{each.instruction} takes {each.image}, which is no approved base",
            where=f"Dockerfile:{each.line}",
            remedy=f"build FROM {' or '.join(approved)}, or have the base reviewed and add it to approved_bases",
        )
        for number, each in enumerate(froms)
        if each.image not in approved and each.image.lower() not in _stages(froms[:number])
    )


def _stages(froms: Sequence[From]) -> set[str]:
    return {"scratch", *(each.stage.lower() for each in froms if each.stage)}
