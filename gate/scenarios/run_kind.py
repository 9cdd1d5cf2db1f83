"""What was asked of pytest: a run or only a look; of which kind; and so where its results belong.

A restricted run never overwrites a full one's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gate.verdict import Kind

# Calls of pytest that run nothing.
_LOOKS_ONLY = ("help", "version", "collectonly", "showfixtures", "show_fixtures_per_test", "markers", "setupplan")
_RESTRICTIONS = ("keyword", "lf", "failedfirst", "newfirst", "stepwise", "deselect", "ignore", "ignore_glob", "maxfail")


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
