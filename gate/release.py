"""The release under acceptance, as pytest.ini states it: one frozen value, checked when it is read."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from iniconfig import IniConfig

from gate.aws.partition import arn, partition_of, registry_host
from gate.errors import WrongUse

# ECR: imageTag in the service model; a repository name may hold namespaces.
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# BCP 47 (RFC 5646, section 2.1): a language of two to eight letters, then subtags; or nothing.
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)?")
# Lambda, "Selecting and configuring an instruction set architecture".
PLATFORMS = ("linux/amd64", "linux/arm64")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")
_SUBJECT = re.compile(r"[^\s:]+:sub=\S+")
# The provider of GitHub Actions' tokens.
GITHUB = "token.actions.githubusercontent.com"
# IAM, EventBridge and EventBridge Scheduler: the longest name of a role, a rule and a schedule.
_LONGEST_NAME = 64


# The picture of the page that Chrome has to draw holds so many characters side by side.
_MOST_CHARACTERS = 9
_BROWSER_LIMITS = ("chrome_max_age_days", "chrome_max_majors_behind")


def setting(explanation: str, *, lines: bool = False, optional: bool = False, part: str = "") -> Any:
    """A field of `Release` that is a key of the same name in pytest.ini.

    Args:
        explanation: for `--help`.
        lines: it has a value on each line.
        optional: the key may be left out.
        part: the part of a release that is switched off by leaving the key's value empty. The key itself must be
            there: a line that got lost must not switch anything off.
    """
    return field(metadata={"help": explanation, "lines": lines, "optional": optional, "part": part})


@dataclass(frozen=True)
class Release:
    """Every value that a team would change for its own release; the field names are pytest.ini's keys."""

    account: str = setting("the twelve-digit AWS account that owns the repository")
    region: str = setting("the AWS region of the repository")
    repository: str = setting("the ECR repository's name")
    release_tag: str = setting("the tag that is never moved, and that a rollback relies on")
    rolling_tag: str = setting(
        "the tag that always names the newest accepted release; empty: there is none", part="rolling tag"
    )
    candidate_tag: str = setting("the tag under which an image is pushed and scanned before it is promoted")
    image_context: str = setting("the folder of the Dockerfile that is released")
    approved_bases: tuple[str, ...] = setting("base images that a FROM may name, one a line", lines=True)
    platform: str = setting("the one platform of the image, as os/architecture")
    python_version: str = setting("the Python the function runs on, as major.minor")
    task_root: str = setting("where Lambda finds the function's code")
    handler: str = setting("the handler, as Lambda is given it")
    chrome_bin: str = setting(
        "the path that CHROME_BIN names in the image; empty: no browser is part of it", part="browser"
    )
    chromedriver_bin: str = setting(
        "the path that CHROMEDRIVER_BIN names in the image; empty: no driver is part of it", part="driver"
    )
    chrome_max_age_days: str = setting("how old the pinned version of Chrome may be, in days", optional=True)
    chrome_max_majors_behind: str = setting(
        "how many major versions newer the stable Chrome may be than the pin", optional=True
    )
    drawn_language: str = setting(
        "the language whose text the browser must draw, as a BCP 47 tag (ko, ja, ar-EG); empty: none in particular",
        part="drawn language",
    )
    drawn_text: str = setting("two to nine letters of that language that look different from each other", optional=True)
    required_paths: tuple[str, ...] = setting("paths that must exist in the image, one a line", lines=True)
    function_name: str = setting("the new Lambda function that will run the image")
    function_memory_mb: str = setting("the memory the function is configured with, in MB")
    safe_event: str = setting("the one event a rehearsal may send to the handler, as JSON", optional=True)
    safe_answer: str = setting("fields that the answer to the safe event must hold, as JSON", optional=True)
    development_packages: tuple[str, ...] = setting("Python packages that never ship, one a line", lines=True)
    startup_hooks: tuple[str, ...] = setting(
        "reviewed files that Python runs whenever it starts, one a line", lines=True, optional=True
    )
    ci_role: str = setting("the role that pushes")
    lambda_role: str = setting("the role that pulls")
    verify_role: str = setting(
        "the role of the nightly job, which reads and never pushes; empty: <repository>-verify-role", optional=True
    )
    administrator_role: str = setting(
        "the account's administrator, as the local target has it; empty: administrator", optional=True
    )
    ci_subject: str = setting(
        "the workflow that becomes the CI role, as principals.yaml names it (<provider's host>:sub=<subject>); "
        "empty: GitHub's, for the environment production of a repository of the ECR repository's name",
        optional=True,
    )
    organization_id: str = setting(
        "the account's AWS organization (o-…), for conditions on it; empty: read by DescribeOrganization", optional=True
    )
    ci_source_ips: tuple[str, ...] = setting(
        "addresses or ranges from which the CI role calls AWS, one a line, for conditions on them; empty: not known",
        lines=True,
        optional=True,
    )
    ci_source_vpce: str = setting(
        "the VPC endpoint through which the CI role calls AWS, for conditions on it; empty: not known", optional=True
    )
    ci_source_vpc: str = setting(
        "the VPC from which the CI role calls AWS, for conditions on it; empty: not known", optional=True
    )
    zip_function: str = setting(
        "the zip-based function that must stay untouched; empty: there is none", part="zip function"
    )
    zip_paths: tuple[str, ...] = setting(
        "files of the zip pipeline in the checked repository, one a line", lines=True, optional=True
    )

    @property
    def repository_uri(self) -> str:
        """The repository as docker names it, the story's literal on either target."""
        return f"{registry_host(self.account, self.region)}/{self.repository}"

    @property
    def night_role(self) -> str:
        """The role of the nightly job."""
        return self.verify_role or role_name(self.repository, "verify-role")

    @property
    def workflow_subject(self) -> str:
        """The workflow that becomes the CI role, as principals.yaml names it."""
        # GitHub names a repository owner/name.
        repository = self.repository if "/" in self.repository else f"{self.repository}/{self.repository}"
        return self.ci_subject or f"{GITHUB}:sub=repo:{repository}:environment:production"

    def role_arn(self, name: str) -> str:
        """The ARN of a role of the account."""
        return arn("iam", "", self.account, f"role/{name}", partition=partition_of(self.region).name)

    @property
    def memory_mb(self) -> int:
        """The function's memory in MB."""
        return int(self.function_memory_mb)

    @property
    def chrome_limits(self) -> tuple[int, int]:
        """The days that Chrome's pin may be old, and the major versions that it may be behind."""
        return int(self.chrome_max_age_days), int(self.chrome_max_majors_behind)

    @property
    def absent_parts(self) -> dict[str, str]:
        """Why each part that is no part of this release is none, by the part's tag in features/."""
        return absent_parts(vars(self))

    @property
    def event(self) -> dict[str, Any] | None:
        """The safe event, or None when the handler may only be initialised."""
        return json.loads(self.safe_event) if self.safe_event else None

    @property
    def answer(self) -> dict[str, Any]:
        """The fields that the answer to the safe event must hold."""
        return json.loads(self.safe_answer) if self.safe_answer else {}


def absent_parts(values: Mapping[str, Any]) -> dict[str, str]:
    """Why each part that is no part of a release with these values is none, by the part's tag in features/."""
    return {
        part.replace(" ", "_"): f"no {part} is part of this release: {each.name} is empty in pytest.ini"
        for each in fields(Release)
        if (part := each.metadata["part"]) and each.name in values and not values[each.name]
    }


def role_name(of: str, suffix: str) -> str:
    """A name made of another one, such as a role's of a repository's; it is no longer than IAM allows."""
    return f"{of.replace('/', '-')[: _LONGEST_NAME - len(suffix) - 1]}-{suffix}"


def declare(add: Callable[..., None]) -> None:
    """Declare every setting to pytest (`add` is `parser.addini`)."""
    for each in fields(Release):
        add(each.name, each.metadata["help"], type="linelist" if each.metadata["lines"] else "string", default=None)


def read(get: Callable[[str], Any], *, release_tag: str | None = None) -> Release:
    """The release that pytest.ini describes (`get` is `config.getini`).

    Args:
        get: answers the value of a key.
        release_tag: takes the place of pytest.ini's, as `--release-tag` asks.

    Raises:
        WrongUse: a value is missing or cannot be; the sentence names the key.
    """
    stated = {each.name: get(each.name) for each in fields(Release)}
    values: dict[str, Any] = {name: _value(raw) for name, raw in stated.items()}
    if release_tag is not None:
        values["release_tag"] = release_tag
    missing = [f.name for f in fields(Release) if not values[f.name] and not _may_be_empty(f, stated[f.name])]
    if missing:
        raise WrongUse(
            f"pytest.ini gives no value for {', '.join(missing)}",
            where="pytest.ini, section [pytest]",
            remedy="state each; `pytest features/ --help` explains them",
        )
    release = Release(**values)
    _check(release)
    return release


def release_of(ini: Path) -> Release:
    """The release that a pytest.ini states, read without pytest; the errors are those of `read`."""
    stated = ini_settings(ini)
    return read(lambda key: ini_value(stated, key))


def ini_settings(ini: Path) -> Mapping[str, str]:
    """The keys of a pytest.ini with their texts.

    Raises:
        OSError: the file cannot be read.
        KeyError: it has no section [pytest].
    """
    return dict(IniConfig(str(ini))["pytest"].items())


def ini_value(stated: Mapping[str, str], key: str) -> str | list[str] | None:
    """The value of one of the release's keys as pytest reads it: the text stripped, or its lines without empty ones."""
    if key not in stated:
        return None
    lines = [line.strip() for line in stated[key].split("\n")]
    is_list = Release.__dataclass_fields__[key].metadata["lines"]
    return list(filter(None, lines)) if is_list else stated[key].strip()


def _may_be_empty(each: Field[Any], stated: Any) -> bool:
    return each.metadata["optional"] or bool(each.metadata["part"] and stated is not None)


def _value(raw: Any) -> str | tuple[str, ...]:
    return tuple(raw) if isinstance(raw, list) else (raw or "").strip()


def _check(release: Release) -> None:
    tags = tuple(filter(None, (release.release_tag, release.rolling_tag, release.candidate_tag)))
    _demand("account", bool(re.fullmatch(r"\d{12}", release.account)), "twelve digits", release.account)
    _demand(
        "platform", release.platform in PLATFORMS, f"one that Lambda runs, {' or '.join(PLATFORMS)}", release.platform
    )
    version = re.fullmatch(r"3\.[0-9]{1,2}", release.python_version)
    _demand("python_version", version is not None, "major.minor, such as 3.12", release.python_version)
    _demand("repository", bool(_REPOSITORY.fullmatch(release.repository)), "an ECR repository name", release.repository)
    for tag in tags:
        _demand("a tag", bool(_TAG.fullmatch(tag)), "letters, digits, '_', '.', '-', at most 128", tag)
    _demand("the tags", len(set(tags)) == len(tags), "different from each other", ", ".join(tags))
    memory = release.function_memory_mb
    # Lambda: 128 MB to 10,240 MB (CreateFunction, MemorySize).
    in_range = memory.isdigit() and 128 <= int(memory) <= 10_240  # noqa: PLR2004
    _demand("function_memory_mb", in_range, "a whole number from 128 to 10240", memory)
    _check_browser(release)
    subject = release.ci_subject
    named = not subject or bool(_SUBJECT.fullmatch(subject))
    _demand("ci_subject", named, "<provider's host>:sub=<subject>, or nothing", subject)
    organization = release.organization_id
    known = bool(re.fullmatch(r"(?:o-[a-z0-9]{10,32})?", organization))  # Organizations: OrganizationId in its model
    _demand("organization_id", known, "an organization's identifier such as o-a1b2c3d4e5, or nothing", organization)
    for each in release.ci_source_ips:
        _demand("ci_source_ips", _is_range(each), "addresses or CIDR ranges, one a line", each)
    paths = () if release.zip_function else release.zip_paths
    _demand("zip_paths", not paths, "empty where zip_function is empty", ", ".join(paths))
    for key in ("safe_event", "safe_answer"):
        _demand(key, _is_event(getattr(release, key)), "a JSON object, or nothing", getattr(release, key))


def _check_browser(release: Release) -> None:
    """What a browser needs to be checked, and nothing of it where there is no browser."""
    if not release.chrome_bin:
        given = [key for key in ("chromedriver_bin", "drawn_language") if getattr(release, key)]
        _demand(" and ".join(given), not given, "empty where chrome_bin is empty: without a browser there is neither",
                ", ".join(getattr(release, key) for key in given))  # fmt: skip
        return
    for key in _BROWSER_LIMITS:
        given = getattr(release, key)
        _demand(key, re.fullmatch(r"[0-9]{1,3}", given) is not None, "a whole number from 0 to 999", given)
    language, text = release.drawn_language, release.drawn_text
    known = _LANGUAGE.fullmatch(language) is not None
    _demand("drawn_language", known, "a BCP 47 tag such as ko or zh-Hant, or nothing", language)
    _demand("drawn_language", not language or bool(release.chromedriver_bin), "empty where chromedriver_bin is empty: "
            "the page is drawn through the driver", language)  # fmt: skip
    letters = all(unicodedata.category(each).startswith("L") for each in text)
    fits = 2 <= len(text) <= _MOST_CHARACTERS and len(set(text)) == len(text) and letters  # noqa: PLR2004
    _demand("drawn_text", fits if language else not text, "two to nine different letters of drawn_language, and empty "
            "without one", text)  # fmt: skip


def _is_event(text: str) -> bool:
    try:
        return not text or isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _is_range(text: str) -> bool:
    try:
        return bool(ip_network(text, strict=False))
    except ValueError:
        return False


def _demand(key: str, holds: bool, form: str, value: str) -> None:
    if not holds:
        raise WrongUse(f"{key} must be {form}, and is {value!r}", where="pytest.ini or the command line")
