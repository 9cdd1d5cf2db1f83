"""The matrix of the fault catalogue: on the screen, and as Markdown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gate.text import for_markdown

HEAD = """# The fault catalogue

Written by `make faults`: each fault is put into a good release, and the scenario that has to notice is seen to go
red, with the words that its message must hold; every other scenario that reads what was changed stays green. A
harmless change makes nothing red. The levels: one recorded fact is another (check); a thin layer on the image is
really built and run (layer); the local target is really set so, or misbehaves (service); a whole release (release).

So that a scenario not only has a good check but is also given what the world really answers,
`tests/wiring/rehearsals.yaml` names for each scenario a fault around a real `pytest features/`: `make test` runs those
that cost little, `make faults` all of them. `make mutation` changes each check in every small way
([result](mutation.md)).

"""
LEVELS = ("check", "layer", "service", "release")


@dataclass(frozen=True)
class Row:
    """One fault, or harmless change, and what became of it."""

    fault: str
    level: str
    criterion: int
    scenario: str
    october: int | None
    verdict: str
    seconds: float


def text(rows: list[Row]) -> str:
    """For the terminal."""
    lines = [
        f"{row.verdict:<8} {_criterion(row):<4} {row.level:<8} {row.seconds:5.1f} s  {row.fault}  →  {row.scenario}"
        for row in _sorted(rows)
    ]
    return "\n".join(["", *lines, "", _counts(rows)])


def write(rows: list[Row], path: Path) -> None:
    """As Markdown: every fault and what became of it."""
    columns = ("criterion", "fault", "level", "scenario that goes red", "October", "verdict", "seconds")
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    lines = (f"| {_criterion(row)} | {for_markdown(row.fault)} | {row.level} | {for_markdown(row.scenario)} "
             f"| {row.october or ''} | {row.verdict} | {row.seconds:.1f} |\n" for row in _sorted(rows))  # fmt: skip
    path.write_text(f"{HEAD}{_counts(rows)}\n\n{_summary(rows)}\n\n{head}{''.join(lines)}", encoding="utf-8")


def _summary(rows: list[Row]) -> str:
    """The counts by criterion and level."""
    columns = (*LEVELS, "caught")
    lines = [f"| criterion | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    for number in sorted({row.criterion for row in rows}, key=lambda number: number or 10):
        these = [row for row in rows if row.criterion == number]
        counts = [str(sum(row.level == level for row in these) or "") for level in LEVELS]
        word = "caught" if number else "green"
        done = f"{sum(row.verdict == word for row in these)} of {len(these)} {word}"
        lines.append(f"| {f'AC{number}' if number else 'harmless'} | {' | '.join(counts)} | {done} |")
    return "\n".join(lines)


def _sorted(rows):
    return sorted(rows, key=lambda row: row.criterion or 10)


def _criterion(row):
    return f"AC{row.criterion}" if row.criterion else "all"


def _counts(rows):
    faults, harmless = [row for row in rows if row.criterion], [row for row in rows if not row.criterion]
    caught, green = (sum(row.verdict == word for row in rows) for word in ("caught", "green"))
    by = ", ".join(f"AC{number} {count}" for number, count in sorted(Counter(r.criterion for r in faults).items()))
    levels = ", ".join(f"{level} {count}" for level, count in sorted(Counter(r.level for r in faults).items()))
    return (
        f"{caught} of {len(faults)} faults caught ({by}; {levels}). {green} of {len(harmless)} harmless changes green."
    )
