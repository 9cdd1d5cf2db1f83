"""The images that a Dockerfile uses, with their arguments substituted.

The package `dockerfile` wraps BuildKit's own parser.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.check import CheckResult, Rejection, check, reject
from gate.errors import ImageUnavailable
from gate.image.dockerfile_variables import SubstitutionError, substitute

# Parser directives precede everything else (Dockerfile reference, "Parser directives").
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S.*?)\s*$")
# The image of a "# syntax" directive parses and runs the build. These are Docker's own, with the grammar read here.
_OWN_SYNTAX = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class From:
    """An instruction of a Dockerfile that names an image to build on or to copy from.

    Attributes:
        line: its number in the file, from 1.
        image: the image, its arguments substituted.
        stage: the name of the stage that it begins ("" for none).
        instruction: FROM, COPY, ADD, RUN, or "# syntax".
    """

    line: int
    image: str
    stage: str
    instruction: str = "FROM"


@dataclass(frozen=True)
class _Parsed:
    """A Dockerfile as BuildKit's parser reads it."""

    file: Path
    directives: Mapping[str, tuple[int, str]]
    commands: Sequence[Any]

    @property
    def escape(self) -> str:
        return self.directives.get("escape", (0, "\\"))[1]

    def substituted(self, command: Any, word: str, values: Mapping[str, str]) -> str:
        try:
            return substitute(word, values, self.escape)
        except SubstitutionError as why:
            raise _unreadable(self.file, command, f"cannot be read: {why}") from why


def _unreadable(file: Path, command: Any, why: str) -> ImageUnavailable:
    return ImageUnavailable(f"the line `{command.original}` {why}", where=f"{file.name}:{command.start_line}")


def _parsed(path: Path) -> _Parsed:
    import dockerfile

    try:
        text = path.read_text(encoding="utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds a NUL character")  # the parser would stop there
        found = dockerfile.parse_string(text) if _has_instruction(text) else ()
        commands = [_triggered(command) for command in found if command.cmd]
    except (OSError, ValueError) as error:
        raise ImageUnavailable(f"the Dockerfile cannot be read: {error}", where=str(path)) from error
    return _Parsed(path, _directives(text), commands)


def _triggered(command: Any) -> Any:
    """The instruction itself, or the one that ONBUILD keeps for the stages built on this one."""
    import dockerfile

    words = command.original.split(maxsplit=1)
    if not _is(command, "ONBUILD") or len(words) == 1:
        return command
    # Only its flags are wanted; what a here-document holds is not in its line.
    (inner,) = dockerfile.parse_string(words[1].replace("<<", "<"))
    return inner._replace(start_line=command.start_line, original=command.original)


def _has_instruction(text: str) -> bool:
    """Whether there is more than comments. The parser refuses an empty file, which a check has to reject."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _directives(text: str) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            break
        found.setdefault(directive[1].lower(), (number, directive[2]))
    return found


def all_arguments(path: Path) -> frozenset[str]:
    """The names of all arguments that the Dockerfile declares, in any stage.

    Raises:
        ImageUnavailable: the file cannot be read.
    """
    parsed = _parsed(path)
    return frozenset(word.partition("=")[0] for each in parsed.commands if _is(each, "ARG") for word in each.value)


def from_lines(path: Path, arguments: Mapping[str, str], platform: str = "") -> tuple[From, ...]:
    """Every image that a Dockerfile names, as a build with these arguments resolves it.

    Args:
        path: the Dockerfile.
        arguments: the build arguments.
        platform: of the build, as os/architecture or os/architecture/variant.

    Raises:
        ImageUnavailable: the file cannot be read, or a FROM cannot be understood.
    """
    parsed = _parsed(path)
    found, stages = list(_syntax(parsed)), 0
    # A FROM can use only the arguments that are declared before the first FROM.
    values = _platform_arguments(platform)
    for each in parsed.commands:
        if _is(each, "FROM"):
            found.append(_from(parsed, each, values))
            stages += 1
        elif _is(each, "ARG") and not stages:
            _declare(parsed, each, arguments, values)
        else:
            found += [From(each.start_line, image, "", each.cmd.upper()) for image in _copied_from(each, stages)]
    return tuple(found)


def _platform_arguments(platform: str) -> dict[str, str]:
    """The arguments that BuildKit sets (Dockerfile reference, "Automatic platform ARGs in the global scope").

    Those of the building machine are missing: an image that depends on them differs from machine to machine.
    """
    system, architecture, variant, *_ = [*platform.split("/"), "", ""]
    found = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"TARGET{name}": value for name, value in found.items()} if platform else {}


def _is(command: Any, instruction: str) -> bool:
    return bool(command.cmd.upper() == instruction)


def _syntax(parsed: _Parsed) -> Iterator[From]:
    line, image = parsed.directives.get("syntax", (0, ""))
    if image and not _OWN_SYNTAX.fullmatch(image):
        yield From(line, image, "", "# syntax")


def _declare(parsed: _Parsed, command: Any, arguments: Mapping[str, str], values: dict[str, str]) -> None:
    for word in command.value:
        name, given, default = word.partition("=")
        filled = parsed.substituted(command, default, values)
        if name in arguments:
            values[name] = arguments[name]
        elif given:
            values[name] = filled


def _from(parsed: _Parsed, command: Any, values: Mapping[str, str]) -> From:
    words = list(command.value)
    image = parsed.substituted(command, words[0], values).strip() if words else ""
    named = len(words) == 3 and words[1].upper() == "AS"  # noqa: PLR2004 - image, AS, stage
    if not image or not (named or len(words) == 1):
        raise _unreadable(parsed.file, command, "names no image")
    return From(command.start_line, image, words[2] if named else "")


def _copied_from(command: Any, stages: int) -> Iterator[str]:
    """The images in the flags of an instruction: COPY --from and RUN --mount. A number is an earlier stage."""
    for flag in command.flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name.lower() == "from":
            images = [value]
        elif name.lower() == "mount":
            fields = (field.partition("=") for row in csv.reader([value]) for field in row)
            images = [image for key, _, image in fields if key.strip().lower() == "from"]
        else:
            continue
        yield from (image.strip("\"'") for image in images if not (image.isdigit() and int(image) < stages))


@check(6, known_bad=lambda: ((From(1, "ubuntu:latest", ""),), ("public.ecr.aws/lambda/python:3.11",)))
def bases_approved(froms: Sequence[From], approved: Sequence[str]) -> CheckResult:
    """Each FROM names an approved base, an earlier stage, or nothing at all (`scratch`)."""
    if not froms:
        return reject("the Dockerfile has no FROM", where="Dockerfile", remedy=f"build FROM {' or '.join(approved)}")
    return CheckResult.of(
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
