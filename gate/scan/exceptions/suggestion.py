"""For a finding over the policy: what to do, and an entry ready to be pasted. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

import yaml

from gate.scan.exceptions.packages import UNTOLD
from gate.scan.exceptions.schema import REFERENCE
from gate.scan.findings import Finding, Severity
from gate.scan.statuses import Mode

# Long enough to plan an upgrade in, short enough to be looked at again.
_SUGGESTED = timedelta(days=30)


def remedy(finding: Finding) -> str:
    """What a person can do about a finding, most wanted first."""
    package = finding.package or "the package"
    if finding.fixed:
        return f"upgrade {package} from {finding.installed or 'its version'} to {finding.fixed} or later, and rebuild"
    return f"no fixed version of {package} is known: rebuild on a patched base image, remove it, or decide on it"


def ready_entry(finding: Finding, target: str, today: date) -> str:
    """An entry for the register, decided today, to be completed where it says <…>; "" where no entry would help."""
    if finding.rank is Severity.CRITICAL:
        return ""
    entry = {
        "id": finding.id,
        "package": finding.package or UNTOLD,
        "versions": finding.installed or UNTOLD,
        "target": target,
        "decision": "upgrade" if finding.fixed else "accepted-risk",
        "rationale": "<why the release may go live with it until then>",
        **_decided(today),
        "reference": finding.uri if re.search(REFERENCE, finding.uri) else "<where it is described or tracked>",
    }
    return _as_yaml(entry)


def ready_coverage(about: dict[str, str], target: str, mode: Mode) -> str:
    """A coverage entry about a `purl` or an `ecosystem` that this kind of scanning does not see, with gaps <…>."""
    entry = {
        **about,
        "target": target,
        "scanning": mode.value.lower(),
        "reason": "<why the scanner does not see it>",
        "check": "<what is done instead, how often, and by which role>",
        "expires": "<a day within 90 days, as YYYY-MM-DD>",
    }
    return _as_yaml(entry)


def ready_support(what: str, today: date) -> str:
    """An acceptance of an end of support, decided today, to be completed where it says <…>."""
    entry = {
        "what": what,
        "reason": "<why the release may stand on it until then>",
        "check": "<what is done instead, how often, and by which role>",
        **_decided(today),
    }
    return _as_yaml(entry)


def _decided(today: date) -> dict[str, str]:
    return {
        "owner": "<the role that answers for it>",
        "reviewer": "<the role that agreed>",
        "decided": today.isoformat(),
        "expires": (today + _SUGGESTED).isoformat(),
    }


def _as_yaml(entry: dict[str, str]) -> str:
    # Without allow_unicode: PyYAML lets a NEL (U+0085) stand as it is, which YAML reads as a line break.
    text: str = yaml.safe_dump([entry], sort_keys=False, width=1000)
    return text
