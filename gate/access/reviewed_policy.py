"""The reviewed repository policy, and how the policy in force differs from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NoReturn

from gate.access.access_facts import AccessFacts
from gate.access.document import Kind, Policy, PolicyText, Statement, parse
from gate.access.external_principals import is_unique_id
from gate.errors import GateError
from gate.missing_facts import MissingFact, fact_or_missing

_KEYS = frozenset(("reviewed_by", "reviewed_on", "policy"))
_OWN_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")


@dataclass(frozen=True)
class ReviewedPolicy:
    """The reviewed policy, the role that reviewed it, and the date."""

    where: str
    reviewed_by: str
    reviewed_on: date
    policy: Policy


def load(path: Path) -> ReviewedPolicy:
    """Read it from a file; errors as in `read`, and if the file cannot be read."""
    try:
        return read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path.name, f"it cannot be read ({type(error).__name__})")


def read(text: str, where: str) -> ReviewedPolicy:
    """Read `{"reviewed_by": role, "reviewed_on": "YYYY-MM-DD", "policy": {…}}`.

    Raises:
        GateError: it has another form, or its policy cannot be parsed.
    """
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or set(raw) != _KEYS:
            _refuse(where, f"it must have exactly the keys {', '.join(sorted(_KEYS))}")
        reviewed_on = date.fromisoformat(raw["reviewed_on"])
    except (ValueError, TypeError, RecursionError) as error:
        _refuse(where, f"it is not JSON with a date of review: {str(error)[:120]}")
    if not isinstance(raw["reviewed_by"], str) or not raw["reviewed_by"].strip():
        _refuse(where, "it does not say which role reviewed it")
    policy = parse(PolicyText(f"reviewed policy in {where}", raw["policy"]), Kind.RESOURCE)
    return ReviewedPolicy(where, raw["reviewed_by"], reviewed_on, policy)


def differences(reviewed: Policy, in_force: Policy) -> tuple[str, ...]:
    """The differences in effect between two policies, statement by statement.

    The order of statements and of lists, a value or a list of one value, the letter case of actions, and the Sid make
    no difference.
    """
    wanted, found = _by_meaning(reviewed), _by_meaning(in_force)
    missing = [each for key, each in wanted.items() if key not in found]
    added = [each for key, each in found.items() if key not in wanted]
    lines = []
    if reviewed.version != in_force.version:
        lines.append(f"Version is {in_force.version}, and was reviewed as {reviewed.version}")
    for old in list(missing):
        new = next((each for each in added if each.sid and each.sid == old.sid), None)
        if new is not None:
            missing.remove(old)
            added.remove(new)
            lines.append(f"statement {new.sid} was changed: {'; '.join(_changes(old, new))}")
    lines += [f"a reviewed statement is missing: {_wording(each)}" for each in missing]
    lines += [f"a statement was never reviewed: {_wording(each)}" for each in added]
    return tuple(lines)


def without_deleted(policy: Policy, facts: AccessFacts) -> Policy:
    """The policy without its deleted principals, which can never make a request.

    The reviewed policy has such a principal by name, the policy in force by its former unique identifier.
    """
    known = fact_or_missing(lambda: facts.identities)
    if isinstance(known, MissingFact):
        return policy  # it is not known which were deleted
    alive = {name for each in known for name in (each.arn, each.unique_id)}
    own = re.compile(rf"arn:[^:]+:iam::{facts.account}:(?:role|user)/[^*?]+")

    def there(kind: str, value: str) -> bool:
        return kind != "AWS" or value in alive or not (is_unique_id(value) or own.fullmatch(value))

    kept = (
        replace(each, principals=tuple(pair for pair in each.principals if there(*pair))) for each in policy.statements
    )
    return replace(policy, statements=tuple(each for each in kept if each.principals))


Parts = dict[str, frozenset[str]]


def _by_meaning(policy: Policy) -> dict[tuple[tuple[str, frozenset[str]], ...], Statement]:
    return {tuple(sorted(_parts(each).items(), key=lambda item: item[0])): each for each in policy.statements}


def _parts(statement: Statement) -> Parts:
    # The number of an account and the ARN of its root user name the same principal.
    principals = (f"{kind}:" + _OWN_ROOT.sub(r"\1", value) for kind, value in statement.principals)
    parts: dict[str, Iterable[str]] = {
        "Effect": ["Allow" if statement.allows else "Deny"],
        "NotPrincipal" if statement.excepting_principals else "Principal": principals,
        "NotAction" if statement.excepting_actions else "Action": (each.lower() for each in statement.actions),
        "NotResource" if statement.excepting_resources else "Resource": statement.resources,
        "Condition": (
            f"{each.operator} {each.key.lower()} = {json.dumps(sorted(set(each.values)), ensure_ascii=False)}"
            for each in statement.conditions
        ),
    }
    return {name: frozenset(values) for name, values in parts.items()}


def _changes(old: Statement, new: Statement) -> list[str]:
    before, after = _parts(old), _parts(new)
    lines = []
    for element in sorted(before.keys() | after.keys()):
        gone = before.get(element, frozenset()) - after.get(element, frozenset())
        come = after.get(element, frozenset()) - before.get(element, frozenset())
        turns = [f"{word} {', '.join(sorted(values))}" for word, values in (("gained", come), ("lost", gone)) if values]
        if turns:
            lines.append(f"{element} {' and '.join(turns)}")
    return lines


def _wording(statement: Statement) -> str:
    said = (f"{element} {', '.join(sorted(values))}" for element, values in _parts(statement).items() if values)
    return (f"{statement.sid}: " if statement.sid else "") + "; ".join(said)


def _refuse(where: str, why: str) -> NoReturn:
    raise GateError(
        f"The reviewed repository policy cannot be used: {why}",
        where=where,
        remedy="restore the file as it was reviewed",
    )
