"""ECR lifecycle policies: read strictly, evaluated as ECR does. Pure.

Source: Amazon ECR user guide, "How lifecycle policies work" and "Lifecycle policy properties".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gate.registry.tags import matches

if TYPE_CHECKING:
    from gate.registry.repository import StoredImage

COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_RULE_KEYS = {"rulePriority", "description", "selection", "action"}
_SELECTION_KEYS = {
    "tagStatus",
    "tagPrefixList",
    "tagPatternList",
    "storageClass",
    "countType",
    "countUnit",
    "countNumber",
}


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
    if text is None:
        return ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadablePolicy(f"The lifecycle policy is not JSON ({error})") from error
    if not isinstance(document, dict) or set(document) != {"rules"} or not isinstance(document["rules"], list):
        raise UnreadablePolicy("The lifecycle policy is not an object with a list of rules and nothing else")
    rules = sorted((_rule(raw) for raw in document["rules"]), key=lambda rule: rule.priority)
    if len({rule.priority for rule in rules}) != len(rules):
        raise UnreadablePolicy("Two lifecycle rules have the same priority, so their order is not known")
    return tuple(rules)


def _rule(raw: Any) -> Rule:
    fields = _known(raw, _RULE_KEYS, "a rule")
    selection = _known(fields.get("selection"), _SELECTION_KEYS, "a rule's selection")
    count_type = _one_of(selection, "countType", COUNT_TYPES)
    if count_type != "imageCountMoreThan":
        _one_of(selection, "countUnit", ("days",))
    return Rule(
        priority=_positive(fields, "rulePriority"),
        tag_status=_one_of(selection, "tagStatus", ("tagged", "untagged", "any")),
        patterns=_patterns(selection),
        storage_class=_one_of({"storageClass": "standard", **selection}, "storageClass", ("standard", "archive")),
        count_type=count_type,
        count=_positive(selection, "countNumber"),
        action=_action(fields.get("action")),
    )


def _patterns(selection: Mapping[str, Any]) -> tuple[str, ...]:
    prefixes, patterns = selection.get("tagPrefixList", []), selection.get("tagPatternList", [])
    if not _is_text_list(prefixes) or not _is_text_list(patterns):
        raise UnreadablePolicy("A lifecycle rule's tag prefixes and patterns are not lists of texts")
    # A "*" in a prefix would be a literal character, which no tag can hold.
    if any("*" in prefix for prefix in prefixes):
        raise UnreadablePolicy(f"A lifecycle rule's tag prefixes hold a wildcard: {prefixes}")
    given = tuple([f"{prefix}*" for prefix in prefixes] + list(patterns))
    if (selection.get("tagStatus") == "tagged") != bool(given):
        raise UnreadablePolicy("A lifecycle rule must name tags if, and only if, its tagStatus is 'tagged'")
    return given


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _action(raw: Any) -> str:
    fields = _known(raw, {"type", "targetStorageClass"}, "a rule's action")
    action = _one_of(fields, "type", ("expire", "transition"))
    if action == "transition":
        _one_of(fields, "targetStorageClass", ("archive",))
    return action


def _known(raw: Any, keys: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise UnreadablePolicy(f"The lifecycle policy holds {raw!r} where {what} belongs")
    unknown = sorted(set(raw) - keys)
    if unknown:
        raise UnreadablePolicy(f"The lifecycle policy holds {', '.join(unknown)} in {what}, which is not known")
    return raw


def _one_of(fields: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or value not in allowed:
        raise UnreadablePolicy(f"A lifecycle rule's {key} is {value!r}, not one of {', '.join(allowed)}")
    return value


def _positive(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UnreadablePolicy(f"A lifecycle rule's {key} is {value!r}, not a whole number above 0")
    return value


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
