"""The policy's rows, and which of them a finding has to meet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.scan.exceptions.schema import EXCEPTED, EXPLOITED, FIXABLE, MONITOR, NEVER
from gate.scan.findings import Finding, Severity


@dataclass(frozen=True)
class PolicyRow:
    """One row of the policy.

    Attributes:
        name: a severity, "exploited", or "fixable" and a severity.
        requires: never, fixed or excepted, monitor.
        why: what makes it concern a finding, where the finding's severity and versions do not say so.
    """

    name: str
    requires: str
    why: str = ""


def strictest_row(stated: Mapping[str, str], finding: Finding) -> PolicyRow:
    """Of the rows (name to requirement) the strictest that concerns a finding; of equals that of its severity."""
    rows = [PolicyRow(finding.rank.name, by_severity(stated, finding.rank)), *_further_rows(stated, finding)]
    # The least strict last; a word that the schema does not know counts as never.
    return min(rows, key=lambda row: (row.requires == MONITOR, row.requires == EXCEPTED))


def by_severity(stated: Mapping[str, str], severity: Severity) -> str:
    """What the row of a severity requires; without a policy nothing is allowed."""
    if severity is Severity.UNRATED and stated:
        return stated.get(severity.name, EXCEPTED)  # a person has to look at what is not rated
    return stated.get(severity.name, MONITOR if stated and severity < Severity.HIGH else NEVER)


def _further_rows(stated: Mapping[str, str], finding: Finding) -> Iterator[PolicyRow]:
    """The rows about what is exploited and what can be fixed; an absent one concerns nothing."""
    known, fixable = finding.exploits, fixable_row(finding.rank.name)
    # Where Inspector would have known and could not be asked, "unknown" is no answer.
    if EXPLOITED in stated and (known.exploited or (known.unknown and known.unread)):
        yield PolicyRow(EXPLOITED, stated[EXPLOITED], f"is an exploit known: {known.told}")
    if fixable in stated and finding.fixable:
        yield PolicyRow(fixable, stated[fixable])


def fixable_row(severity: str) -> str:
    """The name of the row for findings of this severity that can be fixed."""
    return f"{FIXABLE} {severity}"
