"""The command line of `pytest features/`: our options, and the selection with -m, -k and paths, each checked."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest

from gate.errors import GateError, WrongUse
from gate.text import plain

_NAME = re.compile(r"[^\W\d]\w*")
_WORDS = {"and", "or", "not", "True", "False"}
TARGETS = ("local", "aws")

# argparse ends a group's heading with a colon of its own.
EXAMPLES = """release gate, for example
  pytest features/                            rehearse the whole release on the local target
  pytest features/ --image repo:tag           check an image that exists, build nothing
  pytest features/ --target aws               verify what is published; changes nothing
  pytest features/ --target aws --publish     build, check, push, scan, promote
  pytest features/ --target aws --promote v1.0.0   roll back: give `latest` to that accepted release
  pytest features/ -m ac1                     one criterion (says INCOMPLETE; see reports/partial/)

options of the release gate"""


def _option(explanation: str, **how: Any) -> Any:
    """A field of `Options` that is an option of the same name; `how` is as argparse takes it."""
    kept = {"default": how["default"]} if how.get("default", "") is None else {}
    return field(metadata={"help": explanation, **how}, **kept)


# ruff: noqa: RUF009  # `_option` makes a field, as `field` does
@dataclass(frozen=True)
class Options:
    """What the person asked for; timeouts are in seconds. `read` gives the defaults of target and image_context."""

    target: str = _option("where the release goes (default: $RELEASE_TARGET, else local)", metavar="local|aws")
    profile: str | None = _option("the AWS profile to use (default: the ordinary AWS chain)", metavar="NAME")
    image_context: Path = _option("build the Dockerfile of this folder (default: pytest.ini's)", metavar="DIR")
    image: str | None = _option("check this existing image; build nothing (not with --publish)", metavar="REF")
    publish: bool = _option("with --target aws: push, scan and promote (default: verify only)", action="store_true")
    keep: bool = _option(
        "local target: start from the state the last run left (rehearses a re-run)", action="store_true"
    )
    plan: bool = _option("print what the run would do, and do nothing", action="store_true")
    release_tag: str | None = _option("release under this tag instead of pytest.ini's", metavar="TAG")
    previous: Path | None = _option("last night's scan, for -m rescan (default: the last recorded)", metavar="FILE")
    scan_timeout: int = _option("how long a scan may take (default: 900)", metavar="SECONDS", type=int, default=900)
    build_timeout: int = _option("how long a build may take (default: 1800)", metavar="SECONDS", type=int, default=1800)
    engine_timeout: int = _option(
        "how long the Docker engine may be silent in one call (default: 300)", metavar="SECONDS", type=int, default=300
    )
    promote: str | None = _option(
        "give the rolling tag to this release, which an earlier run accepted; builds and pushes nothing", metavar="TAG"
    )
    sign: str | None = _option(
        "sign the evidence with this private key: a PEM file (Ed25519 or ECDSA; a passphrase in "
        "$RELEASE_GATE_KEY_PASSPHRASE), awskms:ARN, or oidc: keyless by sigstore",
        metavar="KEY",
    )
    trust_config: Path | None = _option(
        "with --sign oidc: sigstore's trust configuration (default: the public instance)", metavar="FILE"
    )
    no_attach: bool = _option(
        "with --sign: store no signed statement beside the image in the registry", action="store_true"
    )
    release_folder: Path | None = _option(
        "the folder whose pytest.ini states the release (default: the gate's own)", metavar="DIR", default=None
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def declare(parser: Any) -> None:
    """Declare our options to pytest's parser; of an option that it does not know it then offers the nearest of ours."""
    group = parser.getgroup("release gate", EXAMPLES)
    for each in fields(Options):
        group.addoption(_flag(each.name), **each.metadata)
    ours = [name for option in group.options for name in option.names()]
    given = (word.partition("=")[0] for word in sys.argv[1:] if word.startswith("--"))
    near = [f"{word}{nearest(word, ours)}" for word in given if word not in ours and nearest(word, ours)]
    if near:
        # Shown by pytest's parser below its own error; a known option of pytest's never gets there.
        parser.extra_info["unknown"] = ", ".join(near)


def refuse_empty(config: Any) -> None:
    """Refuse an option without a value: a shell variable that was not set would silently mean the default.

    Raises:
        WrongUse: names the option.
    """
    for name in map(_flag, Options.__dataclass_fields__):
        if config.getoption(name) == "":
            raise WrongUse(
                f"{name} is given an empty value (a shell variable that is not set?): give one, or leave it out"
            )


def read(config: Any, default_context: str, root: Path) -> Options:
    """The options of this run (`config` is pytest's).

    Raises:
        WrongUse: they contradict each other or name something that is not there.
    """
    given = {each.name: config.getoption(_flag(each.name)) for each in fields(Options)}
    paths = {
        name: Path(given[name]) if given[name] else None for name in ("previous", "release_folder", "trust_config")
    }
    context = Path(given["image_context"]).resolve() if given["image_context"] else root / default_context
    target = given["target"] or os.environ.get("RELEASE_TARGET", "local")
    options = Options(**{**given, **paths, "target": target, "image_context": context})
    _check(options, both_given=bool(given["image"] and given["image_context"]))
    return options


def _check(options: Options, *, both_given: bool) -> None:
    wrong = {
        f"--target is local or aws, not {options.target!r}": options.target not in TARGETS,
        "--publish goes with --target aws; the local target always publishes": (
            options.publish and options.target == "local"
        ),
        "--image and --image-context exclude each other: check an image, or build one": both_given,
        "--publish builds what it publishes: leave out --image, which nothing ties to the Dockerfile": bool(
            options.publish and options.image
        ),
        f"no Dockerfile is in {options.image_context}: name its folder with --image-context (or in pytest.ini)": (
            not options.image and not (options.image_context / "Dockerfile").is_file()
        ),
        "--keep goes with --target local: AWS is never reset": options.keep and options.target == "aws",
        "--promote takes a release as it was accepted: leave out --publish, --image and --release-tag": bool(
            options.promote and (options.publish or options.image or options.release_tag)
        ),
        "a timeout is a number of seconds above 0": (
            min(options.scan_timeout, options.build_timeout, options.engine_timeout) <= 0
        ),
        f"--previous names no file: {options.previous}": bool(options.previous and not options.previous.is_file()),
        f"--trust-config names no file: {options.trust_config}": bool(
            options.trust_config and not options.trust_config.is_file()
        ),
        f"--sign names no file: {options.sign}": bool(
            options.sign
            and options.sign != "oidc"
            and not options.sign.startswith("awskms:")
            and not Path(options.sign).is_file()
        ),
    }
    for sentence, is_so in wrong.items():
        if is_so:
            raise WrongUse(sentence)


@contextmanager
def usage_errors() -> Iterator[None]:
    """What is refused in this block, or in a function that this decorates, pytest shows as wrong use: a sentence."""
    try:
        yield
    except GateError as error:
        raise pytest.UsageError(str(error)) from error


@usage_errors()
def check_selection(config: Any) -> None:
    """Refuse markers and paths that are not there, and let `-k` take a scenario's title (`config` is pytest's).

    Raises:
        pytest.UsageError: names what is not there, and the nearest that is.
    """
    option = config.option
    markers = [line.partition(":")[0].strip() for line in config.getini("markers")]
    if option.markexpr:
        _check_markers(option.markexpr, markers)
    if option.keyword:
        from gate.scenarios.features import titles_in

        titles = [title for file in Path(config.rootpath, "features").glob("*.feature") for title in titles_in(file)]
        option.keyword = _keyword(option.keyword, titles, [*markers, "features/test_acceptance.py"])
    for argument in config.args:
        _check_path(Path(config.invocation_params.dir, argument.partition("::")[0]), argument)


def _check_markers(expression: str, known: list[str]) -> None:
    if not _is_expression(expression):
        raise WrongUse(f"-m is no expression of markers: {plain(expression)}", remedy="write it as -m 'ac1 or ac6'")
    unknown = [name for name in _NAME.findall(expression) if name not in {*_WORDS, *known}]
    if unknown:
        raise WrongUse(
            f"-m names a marker that is not there: {unknown[0]}{nearest(unknown[0], known)}",
            remedy="`pytest --markers` lists them; pytest.ini declares them",
        )


def _keyword(text: str, titles: list[str], others: list[str]) -> str:
    """The expression that pytest understands: the text itself, or a scenario's title as the name of its test."""
    given = text if " " not in text.strip() or _is_expression(text) else _test_name(text)
    words = [word.lower() for word in _NAME.findall(given) if word not in _WORDS]
    named = [*map(_test_name, titles), *others]
    if words and not any(word in name for word in words for name in named):
        raise WrongUse(f"-k names no scenario: {plain(text)}{nearest(text, titles)}",
                       remedy="`pytest features/ --collect-only` lists them")  # fmt: skip
    return given


def _test_name(title: str) -> str:
    return re.sub(r"[^a-z0-9_ ]", "", title.lower()).strip().replace(" ", "_")


def _is_expression(text: str) -> bool:
    # pytest's grammar of -m and -k is a part of Python's: names, and, or, not, brackets, marks with arguments.
    allowed = (ast.Expression, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.Not, ast.Name, ast.Call, ast.keyword,
               ast.Constant, ast.expr_context)  # fmt: skip
    try:
        return all(isinstance(node, allowed) for node in ast.walk(ast.parse(text.strip(), mode="eval")))
    except SyntaxError:
        return False


def _check_path(path: Path, argument: str) -> None:
    if path.exists():
        return
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    raise WrongUse(
        f"there is no {plain(argument)}{nearest(path.name, beside)}",
        remedy="`pytest features/` runs every scenario, `-m ac1` one criterion, `-k` one scenario by its title",
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that offers the nearest known word; "" when none is near."""
    by_letters = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), by_letters, 1)
    return f" (did you mean {by_letters[found[0]]}?)" if found else ""
