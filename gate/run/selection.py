"""What was asked of pytest: a run or only a look, which scenarios, of which kind, and so where the results belong.

A restricted run never overwrites the results of a full one. Everything that merely collects imports this and no more.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate.errors import WrongUse
from gate.text import plain
from gate.verdict import Kind

if TYPE_CHECKING:
    from gate.run.model import Run

_NAME = re.compile(r"[^\W\d]\w*")
_WORDS = {"and", "or", "not", "True", "False"}
# The name under which the run follows pytest, and where it is kept.
PLUGIN = "release-gate"
RUN: pytest.StashKey[Run] = pytest.StashKey()
# Calls of pytest that run nothing.
_LOOKS_ONLY = ("help", "version", "collectonly", "showfixtures", "show_fixtures_per_test", "markers", "setupplan")

_RESTRICTIONS = ("keyword", "lf", "failedfirst", "newfirst", "stepwise", "deselect", "ignore", "ignore_glob", "maxfail")


def check_selection(config: Any) -> None:
    """Refuse markers and paths that are not there, and let `-k` take a claim's title (`config` is pytest's).

    Raises:
        pytest.UsageError: names what is not there, and the nearest that is.
    """
    try:
        _check(config)
    except WrongUse as error:
        raise pytest.UsageError(str(error)) from error


def _check(config: Any) -> None:
    option = config.option
    if option.markexpr:
        _check_markers(option.markexpr, [line.partition(":")[0].strip() for line in config.getini("markers")])
    if option.keyword:
        option.keyword = _keyword(option.keyword)
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


def _keyword(text: str) -> str:
    """The expression that pytest understands: the text itself, or a claim's title as the name of its test."""
    if " " not in text.strip() or _is_expression(text):
        return text
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip().replace(" ", "_")


def _is_expression(text: str) -> bool:
    # pytest's grammar of -m and -k is a part of Python's: names, and, or, not, brackets.
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return False
    return True


def _check_path(path: Path, argument: str) -> None:
    if path.exists():
        return
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    raise WrongUse(
        f"there is no {plain(argument)}{nearest(path.name, beside)}",
        remedy="`pytest features/` runs every claim, `-m ac1` one criterion, `-k` one claim by its title",
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that offers the nearest known word; "" when none is near."""
    found = get_close_matches(word, list(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""


def looks_only(option: Any) -> bool:
    """Whether this call of pytest only shows something."""
    return any(getattr(option, name, None) for name in _LOOKS_ONLY)


def kind_of(config: Any) -> Kind:
    """full, partial or rescan, from the options and arguments that pytest was given."""
    option = config.option
    restricted = any(getattr(option, name, None) for name in _RESTRICTIONS)
    everything = {Path(config.rootpath, "features"), Path(config.rootpath)}
    elsewhere = not {Path(config.invocation_params.dir, arg).resolve() for arg in config.args} <= everything
    if restricted or elsewhere:
        return "partial"
    if option.markexpr == "rescan":
        return "rescan"
    return "partial" if option.markexpr else "full"


def folder_of(kind: Kind, reports: Path) -> Path:
    """Where a run of this kind writes."""
    return reports if kind == "full" else reports / kind
