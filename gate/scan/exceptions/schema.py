"""The form of the register, as JSON Schema (draft 2020-12). Every value is a text: see `source`. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from gate.scan.exceptions.source import RegisterFault, YamlDocument
from gate.text import plain

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

NEVER, EXCEPTED, MONITOR = "never", "fixed or excepted", "monitor"
# Rows of the policy beside those of the severities; of all the rows that concern a finding the strictest counts.
EXPLOITED, FIXABLE = "exploited", "fixable"
_BELOW_CRITICAL = ("UNRATED", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
DECISIONS = ("upgrade", "base-image-patch", "accepted-risk", "not-affected")
TARGETS = ("aws", "local", "both")
# OpenVEX specification 0.2.0, "Status Justifications".
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)


def _text(description: str, pattern: str = r"\S", longest: int = 2000) -> dict[str, Any]:
    return {"type": "string", "description": description, "pattern": pattern, "maxLength": longest}


REFERENCE = r"^https?://\S+$"
_DATE = _text("a date written YYYY-MM-DD", r"^\d{4}-\d{2}-\d{2}$")
_ROLE = _text("a role in lower case, such as platform-engineering (roles, not persons)", r"^[a-z][a-z0-9-]*$", 60)
_PURL = _text("a package URL, such as pkg:deb/debian/openssl@3.0.11-1", r"^pkg:[a-z]", 300)
_ID = _text("one vulnerability's id, such as CVE-2023-4863", r"^[A-Za-z][A-Za-z0-9]*([-_:][A-Za-z0-9:._+]+)+$", 200)
_TARGET = {"enum": list(TARGETS)}
_DECIDED = {"owner": _ROLE, "reviewer": _ROLE, "decided": _DATE, "expires": _DATE}


def _object(properties: dict[str, Any], *optional: str, **more: Any) -> dict[str, Any]:
    """A mapping with these keys and no other, all but the optional ones required."""
    required = [key for key in properties if key not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


_EXCEPTION = _object(
    {
        "id": _ID,
        "package": _text("a package URL with a version, or a package's name", r"^[^\s*?].*$", 300),
        "versions": _text("an exact version, or a range such as vers:deb/>=1.0|<1.2", r"^[^\s*?].*$", 300),
        "target": _TARGET,
        "decision": {"enum": list(DECISIONS)},
        "justification": {"enum": list(JUSTIFICATIONS)},
        "rationale": _text("a reason that a reviewer can follow"),
        **_DECIDED,
        "reference": _text("a web address", REFERENCE, 500),
    },
    "versions",
    "justification",
    **{
        "if": {"properties": {"decision": {"const": "not-affected"}}, "required": ["decision"]},
        "then": {"required": ["justification"]},
        "else": {"properties": {"justification": {"not": {}, "description": "given only with not-affected"}}},
    },
)
_COVERAGE = _object(
    {
        "purl": _PURL,
        "ecosystem": _text("the type of a package URL, such as pypi or npm", r"^[a-z][a-z0-9.+-]*$", 40),
        "path": _text("a folder of the image, such as /var/task/node_modules", r"^/[^/\s]", 300),
        "target": _TARGET,
        "scanning": {"enum": ["basic", "enhanced", "both"]},
        "reason": _text("why the scanner does not see the component"),
        "check": _text("the compensating check"),
        "expires": _DATE,
    },
    "purl",
    "ecosystem",
    "path",
)
_SUPPORT = _object(
    {
        "what": _text("a name in gate/image/end_of_support.yaml, such as Amazon Linux 2", r"^[^\s*?<].*$", 100),
        "reason": _text("why the release may stand on it until then"),
        "check": _text("the compensating check"),
        **_DECIDED,
    }
)
_VEX = _object(
    {
        "file": _text("a file beside the register, such as vex/vendor.json", r"^(?!.*\.\.)\w[\w./-]*\.json$", 200),
        "sha256": _text("the sha256 of the file that was reviewed", r"^[0-9a-f]{64}$", 64),
        "product": _PURL,
        "target": _TARGET,
        "reason": _text("why its author is believed about this package, and how the file was had"),
        **_DECIDED,
        "reference": _text("a web address", REFERENCE, 500),
    },
    "product",
)
_EXCEPTED: dict[str, Any] = {"enum": [NEVER, EXCEPTED]}
_ANY: dict[str, Any] = {"enum": [NEVER, EXCEPTED, MONITOR]}
_POLICY: dict[str, Any] = {
    "CRITICAL": {"const": NEVER},
    **dict.fromkeys(("UNRATED", "HIGH"), _EXCEPTED),
    **dict.fromkeys(("MEDIUM", "LOW", "INFORMATIONAL"), _ANY),
    EXPLOITED: _EXCEPTED,
}
_FIXABLE = _object(
    dict.fromkeys(_BELOW_CRITICAL, _EXCEPTED),
    *_BELOW_CRITICAL,
    description="what a severity requires where a fix is known, such as {HIGH: never}",
    minProperties=1,
)
SCHEMA = _object(
    {
        "version": {"const": "1"},
        "policy": _object({**_POLICY, FIXABLE: _FIXABLE}, *(_POLICY.keys() - {"CRITICAL", "HIGH"}), FIXABLE),
        "exceptions": {"type": "array", "items": _EXCEPTION},
        "coverage": {"type": "array", "items": _COVERAGE},
        "support": {"type": "array", "items": _SUPPORT},
        "vex": {"type": "array", "items": _VEX},
    },
    "support",
    "vex",
)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(SCHEMA)


def form_faults(document: YamlDocument) -> Iterator[RegisterFault]:
    """What the schema says against the document, each with its line."""
    for error in _validator().iter_errors(document.value):
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            unknown = sorted(error.instance.keys() - error.schema["properties"].keys())
            yield from (
                RegisterFault(document.line_of((*path, key)), plain(f"the key {key!r} is not known")) for key in unknown
            )
            continue
        yield RegisterFault(document.line_of(path), plain(_sentence(error)))


def _sentence(error: ValidationError) -> str:
    at = error.json_path.removeprefix("$").lstrip(".") or "the register"
    naming = error.absolute_path and error.absolute_path[-1] in {"id", "package", "versions", "purl", "what"}
    if naming and error.validator == "pattern" and set(error.instance) & set("*?"):
        return f"{at}: {error.instance[:80]!r} is a wildcard; an entry covers only what it names"
    form = error.schema.get("description") if isinstance(error.schema, dict) else None
    if form and error.validator in {"pattern", "not", "maxLength"}:
        return f"{at}: {str(error.instance)[:80]!r} is not allowed here; expected is {form}"
    return f"{at}: {error.message}"
