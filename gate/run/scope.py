"""What kind of run this is, and so where its results belong. A restricted run never overwrites a full one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gate.verdict import Kind

_RESTRICTIONS = ("keyword", "lf", "failedfirst", "newfirst", "stepwise", "deselect", "ignore", "ignore_glob", "maxfail")


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
