"""Parses policy documents strictly: an unknown element is an error, because ignoring it could hide access.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from gate.errors import GateError

VERSIONS = ("2012-10-17", "2008-10-17")
# The version of a policy without a Version element; ${variables} are plain text in it.
DEFAULT_VERSION = "2008-10-17"
_ELEMENTS = frozenset(
    "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split()  # noqa: SIM905
)
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


class Kind(StrEnum):
    """What a policy is attached to, which decides the elements that its statements must have."""

    IDENTITY = "identity"
    RESOURCE = "resource"


@dataclass(frozen=True)
class PolicyText:
    """A policy as AWS answers it.

    Attributes:
        source: what it is and whom it belongs to, for messages.
        document: JSON text, or the object parsed from it.
        holder: the ARN of the user, group or role that it is attached to; "" if that is the principal itself.
        managed: the ARN of a managed policy, "" for an inline one.
    """

    source: str
    document: Any
    holder: str = ""
    managed: str = ""


@dataclass(frozen=True)
class Condition:
    """One condition: operator, context key, and the values of which one must match."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement; `excepting_…` is true for the Not… form of the element."""

    label: str
    sid: str
    allows: bool
    actions: tuple[str, ...]
    excepting_actions: bool
    resources: tuple[str, ...]
    excepting_resources: bool
    principals: tuple[tuple[str, str], ...]
    excepting_principals: bool
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True)
class Policy:
    """A parsed policy; `holder` and `managed` as in `PolicyText`."""

    source: str
    version: str
    statements: tuple[Statement, ...]
    holder: str = ""
    managed: str = ""

    @property
    def allowing(self) -> tuple[Statement, ...]:
        """The statements that allow."""
        return tuple(each for each in self.statements if each.allows)

    @property
    def denying(self) -> tuple[Statement, ...]:
        """The statements that deny."""
        return tuple(each for each in self.statements if not each.allows)


def parse(text: PolicyText, kind: Kind) -> Policy:
    """Parse a policy document.

    Raises:
        GateError: it is not JSON, or not in the grammar; the message names the statement.
    """
    document = _loaded(text)
    if not isinstance(document, dict) or "Statement" not in document:
        _refuse(text.source, "it is not an object with a Statement")
    if unknown := [key for key in document if key not in ("Version", "Id", "Statement")]:
        _refuse(text.source, f"it has the unknown element {unknown[0]!r}")
    version = document.get("Version", DEFAULT_VERSION)
    if version not in VERSIONS:
        _refuse(text.source, f"its Version is {version!r}")
    listed = document["Statement"]
    statements = listed if isinstance(listed, list) else [listed]
    return Policy(
        text.source,
        version,
        tuple(
            _statement(each, f"{text.source}, statement {number}", kind, version == "2012-10-17")
            for number, each in enumerate(statements, 1)
        ),
        text.holder,
        text.managed,
    )


def _loaded(text: PolicyText) -> Any:
    if not isinstance(text.document, str):
        return text.document
    try:
        return json.loads(text.document, object_pairs_hook=_unambiguous, parse_constant=_no_constant)
    except (ValueError, RecursionError) as broken:
        _refuse(text.source, f"it is not JSON: {str(broken)[:120]}")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    loaded = dict(pairs)
    if len(loaded) != len(pairs):
        raise ValueError("an object names the same element twice")
    return loaded


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _statement(raw: Any, label: str, kind: Kind, variables: bool) -> Statement:
    if not isinstance(raw, dict):
        _refuse(label, "the statement is not an object")
    if unknown := [key for key in raw if key not in _ELEMENTS]:
        _refuse(label, f"it has the unknown element {unknown[0]!r}")
    sid = raw.get("Sid", "")
    if not isinstance(sid, str):
        _refuse(label, "its Sid is not text")
    label = f"{label} ({sid})" if sid else label
    if raw.get("Effect") not in ("Allow", "Deny"):
        _refuse(label, f"its Effect is {raw.get('Effect')!r}, neither Allow nor Deny")
    actions, excepting_actions = _either(raw, "Action", label, required=True)
    resources, excepting_resources = _either(raw, "Resource", label, required=kind is Kind.IDENTITY)
    principals, excepting_principals = _principals(raw, label, kind)
    conditions = _conditions(raw.get("Condition", {}), label)
    return Statement(
        label,
        sid,
        raw["Effect"] == "Allow",
        actions,
        excepting_actions,
        resources,
        excepting_resources,
        principals,
        excepting_principals,
        conditions,
        variables,
    )


def _either(raw: dict[str, Any], element: str, label: str, *, required: bool) -> tuple[tuple[str, ...], bool]:
    present = [name for name in (element, f"Not{element}") if name in raw]
    if len(present) > 1 or (required and not present):
        _refuse(label, f"it needs exactly one of {element} and Not{element}")
    if not present:
        return (), False
    values = _texts(raw[present[0]], label, present[0])
    malformed = [value for value in values if element == "Action" and not re.fullmatch(r"\*|[^:]+:.+", value, re.S)]
    if malformed:
        _refuse(label, f"{malformed[0]!r} is not an action")
    return values, present[0] != element


def _principals(raw: dict[str, Any], label: str, kind: Kind) -> tuple[tuple[tuple[str, str], ...], bool]:
    present = [name for name in ("Principal", "NotPrincipal") if name in raw]
    if len(present) != (1 if kind is Kind.RESOURCE else 0):
        wanted = "exactly one of Principal and NotPrincipal" if kind is Kind.RESOURCE else "no Principal"
        _refuse(label, f"it needs {wanted}")
    if not present:
        return (), False
    named = raw[present[0]]
    if named == "*":
        named = {"AWS": "*"}
    if not isinstance(named, dict) or not named:
        _refuse(label, f"its {present[0]} names nobody")
    if unknown := [each for each in named if each not in PRINCIPAL_TYPES]:
        _refuse(label, f"its {present[0]} has the unknown type {unknown[0]!r}")
    pairs = ((each, value) for each, values in named.items() for value in _texts(values, label, present[0]))
    return tuple(pairs), present[0] == "NotPrincipal"


def _conditions(raw: Any, label: str) -> tuple[Condition, ...]:
    if not isinstance(raw, dict) or not all(isinstance(tests, dict) for tests in raw.values()):
        _refuse(label, "its Condition is not an object of objects")
    return tuple(
        Condition(str(operator), str(key), _texts(values, label, f"Condition {operator}", scalars=True))
        for operator, tests in raw.items()
        for key, values in tests.items()
    )


def _texts(raw: Any, label: str, element: str, *, scalars: bool = False) -> tuple[str, ...]:
    values = raw if isinstance(raw, list) else [raw]
    if scalars:  # JSON's true and 1 stand for "true" and "1" in a condition
        values = [str(each).lower() if isinstance(each, bool | int | float) else each for each in values]
    # An empty string is allowed as a value of a condition only.
    if not values or not all(isinstance(each, str) and (each or scalars) for each in values):
        _refuse(label, f"its {element} is neither text nor a list of texts")
    return tuple(values)


def _refuse(where: str, why: str) -> NoReturn:
    raise GateError(
        f"A policy cannot be read, so the access that it gives is not known: {why}",
        where=where,
        remedy="correct the policy according to the grammar in the IAM User Guide",
    )
