"""The Dockerfile's FROM lines, with their arguments filled in. Pure but for reading the file."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.errors import ImageUnavailable
from gate.judgement import Judgement, Rejection, judge, reject

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_FROM = re.compile(r"^(?:--platform=\S+\s+)?(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?$", re.I)


@dataclass(frozen=True)
class From:
    """One FROM of a Dockerfile.

    Attributes:
        line: its number in the file, from 1.
        image: what it names, its arguments filled in.
        stage: the name that it gives its stage ("" for none).
    """

    line: int
    image: str
    stage: str


def _parsed(path: Path) -> list[dict[str, Any]]:
    from dockerfile_parse import DockerfileParser

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImageUnavailable(f"the Dockerfile cannot be read: {error}", where=str(path)) from error
    parser = DockerfileParser(fileobj=io.BytesIO(text.encode()))
    return list(parser.structure)


def declared_arguments(path: Path) -> dict[str, str]:
    """The arguments before the first FROM, with their defaults: those that a FROM may use.

    Raises:
        ImageUnavailable: the file cannot be read.
    """
    found: dict[str, str] = {}
    for each in _parsed(path):
        if each["instruction"] == "FROM":
            break
        if each["instruction"] == "ARG":
            name, _, default = each["value"].partition("=")
            found[name.strip()] = default.strip().strip("\"'")
    return found


def all_arguments(path: Path) -> frozenset[str]:
    """The names of all arguments that the Dockerfile declares, in any stage.

    Raises:
        ImageUnavailable: the file cannot be read.
    """
    declared = (each["value"].partition("=")[0].strip() for each in _parsed(path) if each["instruction"] == "ARG")
    return frozenset(declared)


def from_lines(path: Path, arguments: Mapping[str, str]) -> tuple[From, ...]:
    """Every FROM of a Dockerfile, as a build with these arguments resolves it.

    Raises:
        ImageUnavailable: the file cannot be read, or a FROM cannot be understood.
    """
    declared = declared_arguments(path)
    values = {**declared, **{name: value for name, value in arguments.items() if name in declared}}
    return tuple(_from(each, values, path) for each in _parsed(path) if each["instruction"] == "FROM")


def _from(parsed: Mapping[str, Any], values: Mapping[str, str], path: Path) -> From:
    line = parsed["startline"] + 1
    text = _VARIABLE.sub(lambda v: values.get(v[1] or v[3]) or v[2] or "", parsed["value"]).strip()
    found = _FROM.match(text)
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
            f"FROM {each.image} is no approved base",
            where=f"Dockerfile:{each.line}",
            remedy=f"build FROM {' or '.join(approved)}, or have the base reviewed and add it to approved_bases",
        )
        for number, each in enumerate(froms)
        if each.image not in approved and each.image.lower() not in _stages(froms[:number])
    )


def _stages(froms: Sequence[From]) -> set[str]:
    return {"scratch", *(each.stage.lower() for each in froms if each.stage)}
