"""What became of the mutants of a module, and the page about all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gate.text import for_markdown

NOT_RUN = "not run"
_HEAD = """# Mutation testing of the checks

Written by `make mutation`: each pure check is changed in every small way (a condition turned or left out, `<` for `<=`,
a number by one, a rejection that accepts …), one change at a time, and its tests without Docker have to notice. What
is not asked, and why, stands in [mutants.py](../tests/mutation/mutants.py). The score counts the mutants that were
killed; each of the others is explained below, or is marked NOT EXPLAINED. A module that has changed since, or whose
tests have, is not run.

| module | mutants | killed | survived | score | date |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Result:
    """A module's mutants, each with its outcome, and the explanations of those that survive.

    Attributes:
        date: the day it was run, or NOT_RUN.
    """

    module: str
    date: str
    mutants: list[dict[str, Any]]
    explained: list[dict[str, str]]

    @property
    def survivors(self) -> list[dict[str, Any]]:
        """The mutants that no test noticed."""
        return [each for each in self.mutants if each["outcome"] == "survived"]

    def why(self, survivor: dict[str, Any]) -> str:
        """The explanation of a survivor, "" if there is none."""
        return next((each["why"] for each in self.explained if _same(each, survivor)), "")

    def complaints(self) -> list[str]:
        """What has to be done: a module to run, survivors to kill or explain, explanations to take out."""
        if self.date == NOT_RUN:
            return [f"{self.module} was not run as it is now"]
        bare = [f"{_place(self, each)} lives: {_change(each)}" for each in self.survivors if not self.why(each)]
        stale = [each for each in self.explained if not any(_same(each, one) for one in self.survivors)]
        return bare + [f"survivors.yaml explains what no longer survives in {self.module}: {_change(e)}" for e in stale]

    def line(self) -> str:
        """For the terminal."""
        return f"{self.module}: {len(self.mutants) - len(self.survivors)} of {len(self.mutants)} killed"


def markdown(results: list[Result]) -> str:
    """The page."""
    mutants, living = [m for each in results for m in each.mutants], [m for each in results for m in each.survivors]
    rows = [_row(r.module, len(r.mutants), len(r.survivors), r.date) for r in results]
    rows.append(_row("**all**", len(mutants), len(living), _dates(results)))
    found = [
        f"- `{_place(each, one)}`: {for_markdown(_change(one))}. {for_markdown(each.why(one) or 'NOT EXPLAINED')}\n"
        for each in results
        for one in each.survivors
    ]
    return f"{_HEAD}{''.join(rows)}\n## What survives, and why\n\n{''.join(found) or 'Nothing.'}"


def _dates(results: list[Result]) -> str:
    dates = [each.date for each in results if each.date != NOT_RUN]
    missing = len(results) - len(dates)
    return ", ".join(sorted(dates)[-1:] + ([f"{missing} {NOT_RUN}"] if missing else []))


def _row(name: str, mutants: int, living: int, date: str) -> str:
    if date == NOT_RUN:
        return f"| {name} | – | – | – | – | {NOT_RUN} |\n"
    score = f"{100 * (mutants - living) / mutants:.1f} %" if mutants else "–"
    return f"| {name} | {mutants} | {mutants - living} | {living} | {score} | {date} |\n"


def _place(result: Result, mutant: dict[str, Any]) -> str:
    return f"{result.module}:{mutant['line']}"


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["was"], one["becomes"]) == (other["was"], other["becomes"])


def _change(each: dict[str, Any]) -> str:
    return f"{each['was']!r} becomes {each['becomes']!r}"
