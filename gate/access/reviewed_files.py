"""Whether the reviewed files of a release, and the policies in docs/policies, are for the release in pytest.ini.

A file that cannot be read is left to the scenarios about it. What is said here is certain: where a file is silent, or
may be meant as it is, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from gate.access.document import Policy
from gate.access.matching import covers
from gate.access.reviewed_policy import load as load_policy
from gate.access.reviewed_principals import Review
from gate.access.reviewed_principals import load as load_principals
from gate.aws.partition import arn
from gate.check import CheckResult, Rejection
from gate.errors import GateError, WrongUse
from gate.release import Release
from gate.release_file import release_of
from gate.run.configuration import HOME

if TYPE_CHECKING:
    from gate.run.model import Run

POLICY, PRINCIPALS, DOCUMENTS = "repository-policy.json", "principals.yaml", Path("docs", "policies")
_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):.*|(\d{12})", re.S)
_ROLE = re.compile(r"arn:[^:]*:iam::\d{12}:role/(?:.*/)?([^/]+)", re.S)
_REVIEW = "state this release's there and have the file reviewed, or correct pytest.ini"


def consistent(run: Run) -> CheckResult:
    """What of the release in pytest.ini does not fit to the files beside it; the whole list."""
    context, release, found = run.options.image_context, run.release, list[Rejection]()
    reviews: tuple[Review, ...] = ()
    with suppress(GateError):
        reviews = load_principals(context / PRINCIPALS).entries
        found += principals_fit(reviews, release, f"{context.name}/{PRINCIPALS}", local=run.options.target == "local")
    with suppress(GateError):
        policy = load_policy(context / POLICY).policy
        found += policy_fits(policy, reviews, release, f"{context.name}/{POLICY}")
    with suppress(OSError, KeyError, ValueError, WrongUse):
        home = run.options.release_folder or HOME
        stated = release_of(home / "pytest.ini")
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((home / DOCUMENTS).glob("*.json"))}
        found += documents_fit(texts, stated)
    return CheckResult.of(found)


def policy_fits(policy: Policy, reviews: Iterable[Review], release: Release, where: str) -> Iterator[Rejection]:
    """What in the reviewed repository policy is another release's.

    Args:
        policy: the reviewed policy.
        reviews: the reviewed principals.
        release: as pytest.ini states it.
        where: the file.
    """
    reviews = tuple(reviews)
    named = [value for each in policy.statements for kind, value in each.principals if kind == "AWS"]
    values = [value for each in policy.statements for condition in each.conditions for value in condition.values]
    yield from _account_fits([*named, *values], release, where)
    sources = [value for value in values if value.split(":")[2:3] == ["lambda"] and ":function:" in value]
    function = arn("lambda", release.region, release.account, f"function:{release.function_name}")
    if sources and not any(fnmatchcase(function, value) for value in sources):
        yield _misfit(f"names the function {', '.join(sources)}", f"the function {function}", where)
    own = {release.ci_role, release.lambda_role, release.night_role}
    for key, role, power, action in (
        ("ci_role", release.ci_role, "push", "ecr:PutImage"),
        ("lambda_role", release.lambda_role, "pull", "ecr:BatchGetImage"),
    ):
        granting = [each for each in policy.statements if each.allows and covers(each, action)]
        roles = _roles(value for each in granting for _, value in each.principals)
        strangers = roles - _roles(each.principal for each in reviews if power in each.may) - own
        if strangers and role not in roles:
            yield _misfit(f"lets {', '.join(sorted(strangers))} {power}", f"the {key} {role}", where)


def principals_fit(reviews: Iterable[Review], release: Release, where: str, *, local: bool) -> Iterator[Rejection]:
    """What the list of reviewed principals lacks of this release, as far as it names other roles or workflows.

    Args:
        reviews: the reviewed principals.
        release: as pytest.ini states it.
        where: the file.
        local: whether the target is the local one, which is seeded with what pytest.ini leaves to be derived, too.
    """
    listed = tuple(each.principal for each in reviews)
    if not listed:
        return
    yield from _account_fits(listed, release, where)
    administrator = release.administrator_role or "administrator"
    roles = {
        "ci_role": release.ci_role,
        "verify_role": release.night_role if local else release.verify_role,
        "administrator_role": administrator if local else "",
    }
    for key, role in roles.items():
        if role and role not in _roles(listed):
            yield _unnamed(f"{key}, {role}", where)
    subject = release.workflow_subject if local else release.ci_subject
    if subject and subject not in listed:
        yield _unnamed(f"ci_subject, {subject}", where)


def documents_fit(texts: Mapping[str, str], release: Release) -> Iterator[Rejection]:
    """The policies of docs/policies that are another release's.

    Args:
        texts: each file by its name.
        release: as the pytest.ini beside docs/ states it.
    """
    place = (release.region, release.account)
    wanted = [arn("ecr", *place, f"repository/{release.repository}")]
    if release.zip_function:
        wanted.append(arn("lambda", *place, f"function:{release.zip_function}"))
    for name, text in texts.items():
        where = str(DOCUMENTS / name)
        if missing := [resource for resource in wanted if f'"{resource}"' not in text]:
            cause = f"{where} grants nothing on what pytest.ini states: {', '.join(missing)}"
            yield Rejection(cause, where, "write the policies of this release: make policies")


def _account_fits(values: Iterable[str], release: Release, where: str) -> Iterator[Rejection]:
    found = {match[1] or match[2] for value in values if (match := _ACCOUNT.fullmatch(value))}
    if found and release.account not in found:
        yield _misfit(f"names the account {', '.join(sorted(found))}", f"the account {release.account}", where)


def _roles(principals: Iterable[str]) -> set[str]:
    return {match[1] for each in principals if (match := _ROLE.fullmatch(each))}


def _unnamed(stated: str, where: str) -> Rejection:
    return Rejection(f"{where} does not name pytest.ini's {stated}", where, _REVIEW)


def _misfit(found: str, stated: str, where: str) -> Rejection:
    return Rejection(f"{where} {found}, and pytest.ini states {stated}", where, _REVIEW)
