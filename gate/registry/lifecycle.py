"""ECR lifecycle policies: read strictly, evaluated as ECR does. Pure.

Source: Amazon ECR user guide, "How lifecycle policies work" and "Lifecycle policy properties".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.registry.tags import matches
from gate.text import plain

if TYPE_CHECKING:
    from gate.registry.repository import StoredImage

# What a policy can say; the local target refuses the same.
SCHEMA = Path(__file__).with_name("lifecycle.schema.json")


class UnreadablePolicy(ValueError):
    """The policy says something that this gate cannot be sure of; the message is a sentence."""


@dataclass(frozen=True)
class Rule:
    """One rule: the images it selects, the count from which it acts, and what it does to them.

    Attributes:
        patterns: every one must match some tag of the image; a prefix is the pattern `prefix*`.
        storage_class: "standard" or "archive", the images it looks at.
    """

    priority: int
    tag_status: str
    patterns: tuple[str, ...]
    storage_class: str
    count_type: str
    count: int
    action: str

    def selects(self, image: StoredImage) -> bool:
        """Whether the image meets the rule's requirements on tags and storage class."""
        if (image.status == "ARCHIVED") != (self.storage_class == "archive"):
            return False
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        return bool(image.tags) and all(any(matches(p, tag) for tag in image.tags) for p in self.patterns)

    def __str__(self) -> str:
        which = {"tagged": f"tags {', '.join(self.patterns)}", "any": "any image"}.get(self.tag_status, "untagged")
        return f"rule {self.priority} ({which}; {self.count_type} {self.count}; {self.action})"


def read_policy(text: str | None) -> tuple[Rule, ...]:
    """Read a lifecycle policy; None (no policy set) has no rules. In the order in which rules are applied.

    Raises:
        UnreadablePolicy: it is not JSON, or holds anything unknown.
    """
    from jsonschema.exceptions import best_match

    if text is None:
        return ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadablePolicy(f"The lifecycle policy is not JSON ({error})") from error
    if fault := best_match(_validator().iter_errors(document)):
        place = "/".join(map(str, fault.absolute_path)) or "the document"
        raise UnreadablePolicy(f"The lifecycle policy is none that is known, at {place}: {plain(fault.message)}")
    rules = sorted(map(_rule, document["rules"]), key=lambda rule: rule.priority)
    if len({rule.priority for rule in rules}) != len(rules):
        raise UnreadablePolicy("Two lifecycle rules have the same priority, so their order is not known")
    return tuple(rules)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def _rule(raw: Mapping[str, Any]) -> Rule:
    selection = raw["selection"]
    return Rule(
        priority=int(raw["rulePriority"]),
        tag_status=selection["tagStatus"],
        patterns=(*(f"{each}*" for each in selection.get("tagPrefixList", ())), *selection.get("tagPatternList", ())),
        storage_class=selection.get("storageClass", "standard"),
        count_type=selection["countType"],
        count=int(selection["countNumber"]),
        action=raw["action"]["type"],
    )


def evaluate(rules: Sequence[Rule], images: Iterable[StoredImage], at: datetime) -> dict[str, Rule]:
    """What ECR would do to a repository at one moment: the rule that acts, by the digest it acts on.

    An image belongs to the first rule whose requirements on tags it meets, and no later rule can act on it;
    but a later rule still counts it.
    """
    standing = list(images)
    owner = {image.digest: next((rule for rule in rules if rule.selects(image)), None) for image in standing}
    return {
        digest: rule
        for rule in rules
        for digest in _over(rule, [image for image in standing if rule.selects(image)], at)
        if owner[digest] is rule
    }


def _over(rule: Rule, selected: list[StoredImage], at: datetime) -> list[str]:
    if rule.count_type == "imageCountMoreThan":
        newest_first = sorted(selected, key=_in_use_since, reverse=True)
        return [image.digest for image in newest_first[rule.count :]]
    limit = timedelta(days=rule.count)
    return [image.digest for image in selected if at - _since(rule, image) >= limit]


def _since(rule: Rule, image: StoredImage) -> datetime:
    if rule.count_type == "sinceImagePulled":
        return max(_in_use_since(image), image.last_pulled_at or image.pushed_at)
    if rule.count_type == "sinceImageTransitioned":
        return image.archived_at or image.pushed_at
    return _in_use_since(image)


def _in_use_since(image: StoredImage) -> datetime:
    """When it was pushed, or restored from the archive, which ECR takes for it then."""
    return image.activated_at or image.pushed_at
