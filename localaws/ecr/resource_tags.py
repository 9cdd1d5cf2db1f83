"""The tags of a repository, as AWS restricts them (AWS General Reference, "Tagging your AWS resources").

A key may have Unicode letters, digits and spaces, and `_.:/=+-@`.
"""

from __future__ import annotations

import re

from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.operations import ApiCall, Parameters, operation

_ARN = re.compile(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)")
_MOST = 50
_KEY, _VALUE = re.compile(r"[\w\s.:/=+@-]{1,128}"), re.compile(r"[\w\s.:/=+@-]{0,256}")


@operation("ListTagsForResource")
def list_tags(call: ApiCall) -> Parameters:
    """The repository's tags."""
    with call.ecr.store.reading_repository(_name_in(call)) as repository:
        return {"tags": [{"Key": key, "Value": value} for key, value in sorted(repository.tags.items())]}


@operation("TagResource")
def tag(call: ApiCall) -> Parameters:
    """Add or replace tags."""
    with call.ecr.store.changing_repository(_name_in(call)) as repository:
        repository.tags = added(repository.tags, call.parameters["tags"])
    return {}


@operation("UntagResource")
def untag(call: ApiCall) -> Parameters:
    """Remove tags."""
    with call.ecr.store.changing_repository(_name_in(call)) as repository:
        for key in call.parameters["tagKeys"]:
            repository.tags.pop(key, None)
    return {}


def added(standing: dict[str, str], tags: list[dict[str, str]]) -> dict[str, str]:
    """The tags after these were added or replaced.

    Raises:
        EcrError: InvalidTagParameterException, or TooManyTagsException for more than 50.
    """
    for tag in tags:
        _check(tag["Key"], tag["Value"])
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise _invalid("a key is there twice")
    after = {**standing, **{tag["Key"]: tag["Value"] for tag in tags}}
    if len(after) > _MOST:
        raise EcrError("TooManyTagsException", f"The list of tags on the repository is over the limit of {_MOST} tags")
    return after


def _check(key: str, value: str) -> None:
    if key.lower().startswith("aws:"):
        raise _invalid(f"the key {key!r} begins with 'aws:', which is reserved")
    if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
        raise _invalid(f"{key!r}: {value!r} is longer than 128 and 256 characters, or holds one that is not allowed")


def _invalid(why: str) -> EcrError:
    return EcrError("InvalidTagParameterException", f"Invalid tag parameter: {why}")


def _name_in(call: ApiCall) -> str:
    """The name in a repository's ARN; one of another region or account is not found here."""
    arn = call.parameters["resourceArn"]
    found = _ARN.fullmatch(arn)
    if found is None:
        raise invalid(f"Invalid parameter at 'resourceArn': {arn!r} is not a repository's ARN")
    region, account, name = found.groups()
    if (region, account) != (call.ecr.region, call.ecr.account):
        raise EcrError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{account}'",
        )
    return name
