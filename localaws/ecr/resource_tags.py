"""The tags of a resource, as AWS restricts them (AWS General Reference, "Tagging your AWS resources").

Which characters a key may hold is Unicode's letters, digits and spaces, and `_.:/=+-@`.
"""

from __future__ import annotations

import re

from localaws.ecr.errors import EcrError

_MOST = 50
_KEY, _VALUE = re.compile(r"[\w\s.:/=+@-]{1,128}"), re.compile(r"[\w\s.:/=+@-]{0,256}")


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
