"""The list of reviewed principals, which may do more than the story says, each with reason, reviewer and expiry.

One entry covers one principal, named in full; there are no wildcards. A federated subject is written as the trust
policy has it, `<provider's host>:sub=<pattern>`, and has to name its repository (or project): see `too_wide`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from gate.errors import GateError
from gate.scan.exceptions.source import read_yaml

GROUPS = ("push", "pull", "delete", "rules", "replicate", "become")
_KEYS = frozenset(("principal", "may", "reason", "reviewer", "expires"))
# The name of a federated subject: the provider's host, the claim that limits it, and the value of the claim.
_FEDERATED = re.compile(r"(.+?):(sub|repository|repository_id)=(.*)", re.S)
# GitHub Actions, of github.com and of an Enterprise Server (GitHub Docs, "OpenID Connect reference"). The subject can
# have other claims, in any order; only these name the repository, and no wildcard may stand before them.
_GITHUB = re.compile(r"token\.actions\.githubusercontent\.com|.*/_services/token")
_GITHUB_REPOSITORY = re.compile(
    r"(?:[^*?]*:)?(?:repo:[^/:*?]+/[^/:*?]+:|repository:[^/:*?]+/[^/:*?]+(?::|$)|repository_id:\d+(?::|$))"
)
# How the subjects of other providers begin if they name one project, by the documentation of the providers.
_PROJECTS = {
    "project_path:": re.compile(r"project_path:[^:*?]+/[^:*?]+:"),  # GitLab
    # HCP Terraform, and Buildkite
    "organization:": re.compile(r"organization:[^:*?]+:(?:(?:project:[^:]+:)?workspace|pipeline):[^:*?]+:"),
    "org/": re.compile(r"org/[^/*?]+/project/[^/*?]+/"),  # CircleCI
    "system:serviceaccount:": re.compile(r"system:serviceaccount:[^:*?]+:[^:*?]+$"),  # Kubernetes: one account
    "{": re.compile(r"\{[^}*?]+\}[:*]"),  # Bitbucket: the repository's identifier
}
_ANY_PROJECT = re.compile(r"[^:*?]+:[^:*?]+:")


@dataclass(frozen=True)
class Review:
    """One reviewed principal.

    Attributes:
        principal: its name as the matrix has it.
        may: the permission groups that it was reviewed for.
        reason: why it needs them.
        reviewer: the role that reviewed it.
        expires: the last day on which the review is in force.
        line: its line in the file.
    """

    principal: str
    may: tuple[str, ...]
    reason: str
    reviewer: str
    expires: date
    line: int


@dataclass(frozen=True)
class ReviewedPrincipals:
    """The list and the file that it was read from."""

    where: str
    entries: tuple[Review, ...]

    def covers(self, principal: str, group: str, today: date) -> bool:
        """Whether the principal has a review for this permission group that has not expired."""
        return any(each.principal == principal and group in each.may and each.expires >= today for each in self.entries)

    def pairs(self, today: date) -> tuple[tuple[str, str], ...]:
        """Every pair of principal and permission group with a review in force."""
        return tuple((each.principal, group) for each in self.entries if each.expires >= today for group in each.may)


def load(path: Path) -> ReviewedPrincipals:
    """Read the list from a file; errors as in `read`, and if the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path.name, f"it cannot be read ({type(error).__name__})")
    return read(text, path.name)


def read(text: str, where: str) -> ReviewedPrincipals:
    """Read the list.

    Raises:
        GateError: it has another form; the message names the line.
    """
    document = read_yaml(text)
    for fault in document.faults:
        _refuse(f"{where}, line {fault.line}", fault.sentence)
    if not isinstance(document.value, dict) or list(document.value) != ["principals"]:
        _refuse(where, "it must have the one key 'principals'")
    entries, lines = document.value["principals"], document.lines
    if not isinstance(entries, list):
        _refuse(f"{where}, line {lines['principals',]}", "'principals' is not a list")
    return ReviewedPrincipals(
        where, tuple(_entry(raw, where, lines["principals", place]) for place, raw in enumerate(entries))
    )


def too_wide(principal: str) -> bool:
    """Whether a name covers principals that cannot be reviewed, as with a wildcard in place of the repository."""
    federated = _FEDERATED.fullmatch(principal)
    if not federated:
        unnamed = principal in ("anybody else", "any AWS service") or principal.endswith(" for other accounts")
        return unnamed or bool(set("*?") & set(principal))
    host, claim, value = federated.groups()
    wild = bool(set("*?") & set(value))
    if claim != "sub":
        return wild
    if _GITHUB.match(host):
        return not _GITHUB_REPOSITORY.match(value)
    if not wild:
        return False
    form = next((form for beginning, form in _PROJECTS.items() if value.startswith(beginning)), _ANY_PROJECT)
    return not form.match(value)


def _entry(raw: Any, where: str, line: int) -> Review:
    at = f"{where}, line {line}"
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        _refuse(at, f"an entry has exactly the keys {', '.join(sorted(_KEYS))}")
    for key in ("principal", "reason", "reviewer"):
        if not isinstance(raw[key], str) or not raw[key]:
            _refuse(at, f"{key!r} is not a string")
    try:
        expires = date.fromisoformat(raw["expires"])
    except (TypeError, ValueError):
        _refuse(at, "'expires' is not a date such as 2026-01-31")
    may = raw["may"]
    if not isinstance(may, list) or not may or not all(isinstance(each, str) and each in GROUPS for each in may):
        _refuse(at, f"'may' is a list of some of {', '.join(GROUPS)}")
    if too_wide(raw["principal"]):
        _refuse(at, f"{raw['principal']!r} stands for more than one principal")
    return Review(raw["principal"], tuple(may), raw["reason"], raw["reviewer"], expires, line)


def _refuse(where: str, why: str) -> NoReturn:
    raise GateError(
        f"The list of reviewed principals cannot be used: {why}",
        where=where,
        remedy="correct the entry, and have it reviewed",
    )
