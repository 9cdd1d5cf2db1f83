"""Parts that a release may not have: the scenarios about them are left out of its runs, with the reason. Pure.

A part is switched off by leaving its key in pytest.ini empty (`gate.release.setting`). A scenario of features/, or
a row of its examples, is about a part when it has the part's tag. Its other scenarios are checked as for any release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gate.release import Release
from gate.verdict import NotPart

if TYPE_CHECKING:
    from gate.scenarios.features import Scenario

# What titles say of a part and holds without it, by the part's tag: checked as it is, under a title that fits.
_WITHOUT = (
    ("rolling_tag", "Both tags name", "The release tag names"),
    ("rolling_tag", "while the rolling tags can move", "while the candidate tag can move"),
    ("rolling_tag", "behind the tags", "behind the release tag"),
    ("drawn_language", "Korean text", "Text in an agreed language"),
    ("python", "is the one that Lambda will import", "is the one that Lambda is given"),
)
_OF_ANOTHER_LANGUAGE = "Korean text"


class ReleaseParts:
    """Which scenarios are about this release, and what they are called.

    Args:
        release: as pytest.ini states it.
    """

    def __init__(self, release: Release) -> None:
        self.absent = release.absent_parts
        self._language = release.drawn_language

    def title(self, title: str) -> str:
        """A scenario's title as it fits this release."""
        for part, said, fits in _WITHOUT:
            title = title.replace(said, fits) if part in self.absent else title
        if self._language and self._language != "ko":
            title = title.replace(_OF_ANOTHER_LANGUAGE, f"Text in the language {self._language}")
        return title

    def titled(self, scenarios: Mapping[str, Scenario]) -> dict[str, Scenario]:
        """The scenarios with titles that fit this release."""
        return {
            key: replace(each, titles={row: self.title(title) for row, title in each.titles.items()})
            for key, each in scenarios.items()
        }

    def kept(self, scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
        """The scenarios with those of their rows that are about this release."""
        kept = (
            replace(each, titles={row: title for row, title in each.titles.items() if not self.not_part(each, row)})
            for each in scenarios
        )
        return tuple(each for each in kept if each.titles)

    def left_out(self, scenarios: Iterable[Scenario]) -> tuple[NotPart, ...]:
        """The scenarios that are about no part of this release."""
        return tuple(found for each in scenarios for row in each.titles if (found := self.not_part(each, row)))

    def not_part(self, scenario: Scenario, row: str) -> NotPart | None:
        """What is said of a scenario that is about no part of this release; None for any other."""
        tags = scenario.tags | scenario.row_tags.get(row, frozenset())
        reason = next((reason for tag, reason in self.absent.items() if tag in tags), "")
        return NotPart(scenario.titles[row], scenario.criterion, reason) if reason else None
