"""What was asked of pytest: a run or only a look; of which kind; and so where its results belong.

A restricted run never overwrites a full one's.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gate.errors import WrongUse
from gate.text import plain
from gate.verdict import Kind

# Calls of pytest that run nothing.
_LOOKS_ONLY = ("help", "version", "collectonly", "showfixtures", "show_fixtures_per_test", "markers", "setupplan")
_RESTRICTIONS = ("keyword", "lf", "failedfirst", "newfirst", "stepwise", "deselect", "ignore", "ignore_glob", "maxfail")


# Options that decide what a run checks, or that it checks nothing.
_DECIDING = frozenset(
    "-k -m --deselect --ignore --ignore-glob --lf --last-failed --ff --nf --sw --stepwise --co --collect-only "  # noqa: SIM905
    "--setup-only --setup-plan --fixtures --markers --help --version -h -V".split()
)


def refuse_restriction(environment: Mapping[str, str]) -> None:
    """Refuse a variable that decides what is checked: a run that was asked for whole would end with 0 without it.

    Raises:
        WrongUse: names the option.
    """
    for word in shlex.split(environment.get("PYTEST_ADDOPTS", "")):
        name = word.partition("=")[0]
        if name in _DECIDING or name[:2] in {"-k", "-m"} or "addopts=" in word:
            raise WrongUse(f"PYTEST_ADDOPTS holds {plain(name)}, which decides what is checked",
                           remedy="unset the variable, and give the option on the command line")  # fmt: skip


def looks_only(option: Any) -> bool:
    """Whether this call of pytest only shows something."""
    return any(getattr(option, name, None) for name in _LOOKS_ONLY)


def kind_of(config: Any) -> Kind:
    """full, partial, rescan or promotion, from the options and arguments that pytest was given."""
    option = config.option
    restricted = any(getattr(option, name, None) for name in _RESTRICTIONS)
    everything = {Path(config.rootpath, "features"), Path(config.rootpath)}
    elsewhere = not {Path(config.invocation_params.dir, arg).resolve() for arg in config.args} <= everything
    if restricted or elsewhere:
        return "partial"
    if option.markexpr == "rescan":
        return "rescan"
    if option.markexpr:
        return "partial"
    return "promotion" if option.promote else "full"


def folder_of(kind: Kind, reports: Path) -> Path:
    """Where a run of this kind writes."""
    return reports if kind == "full" else reports / kind
