"""Reading a release from a pytest.ini, the gate's own or that in --release-folder: which values its keys can have.

`gate.release` says what each key means.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from iniconfig import IniConfig

from gate.errors import WrongUse
from gate.options import nearest
from gate.release import Release

INI = "pytest.ini"
# ECR: imageTag in the service model; a repository name may hold namespaces.
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# BCP 47 (RFC 5646, section 2.1): a language of two to eight letters, then subtags; or nothing.
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")
# ECR: SigningProfileArn in its model.
_PROFILE = re.compile(r"(?:arn:aws(?:-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:/signing-profiles/[a-zA-Z0-9_]{2,})?")
# As botocore's endpoints.json has them in every partition: us-gov-west-1, eusc-de-east-1.
_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}")
_SUBJECT = re.compile(r"[^\s:]+:sub=\S+")
# The picture of the page that Chrome has to draw holds so many characters side by side.
_MOST_CHARACTERS = 9
_BROWSER_LIMITS = ("chrome_max_age_days", "chrome_max_majors_behind")
# Lambda, "Selecting and configuring an instruction set architecture".
PLATFORMS = ("linux/amd64", "linux/arm64")


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


def folder_of_release(config: Any) -> Path:
    """The folder that a run's files belong to, and that the release's paths are relative to (`config` is pytest's)."""
    given = config.getoption("--release-folder")
    return Path(given).resolve() if given else config.rootpath


def reader(config: Any) -> Callable[[str], Any]:
    """What answers the value of one of the release's keys, as `read` asks for it.

    Raises:
        WrongUse: the folder's pytest.ini cannot be read or states something else than a release; or `-o` was given for
            a key of the release, which only the gate's own pytest.ini would follow.
    """
    if not config.getoption("--release-folder"):
        return config.getini  # type: ignore[no-any-return]
    keys = Release.__dataclass_fields__
    given = [each.partition("=")[0] for each in config.option.override_ini or () if each.partition("=")[0] in keys]
    if given:
        raise WrongUse(
            f"-o {given[0]}=… has no effect beside --release-folder", remedy=f"state it in the folder's {INI}"
        )
    stated = _stated_in(folder_of_release(config))
    return lambda key: ini_value(stated, key)


def _stated_in(folder: Path) -> Mapping[str, str]:
    where = str(folder / INI)
    try:
        stated = ini_settings(folder / INI)
    except (OSError, KeyError, ValueError) as error:
        raise WrongUse(f"--release-folder names no folder with a {INI} that can be read: {error}", where=where,
                       remedy="make one with `make adopt`, or correct the path") from error  # fmt: skip
    keys = list(Release.__dataclass_fields__)
    if unknown := [key for key in stated if key not in keys]:  # perhaps one of them, misspelt
        raise WrongUse(f"{unknown[0]} is no key of a release{nearest(unknown[0], keys)}", where=where,
                       remedy="settings of the gate itself stand in the gate's own pytest.ini")  # fmt: skip
    return stated


def _may_be_empty(each: Field[Any], stated: Any) -> bool:
    return each.metadata["optional"] or bool(each.metadata["part"] and stated is not None)


def _value(raw: Any) -> str | tuple[str, ...]:
    return tuple(raw) if isinstance(raw, list) else (raw or "").strip()


def _check(release: Release) -> None:
    tags = tuple(filter(None, (release.release_tag, release.rolling_tag, release.candidate_tag)))
    _demand("account", bool(re.fullmatch(r"\d{12}", release.account)), "twelve digits", release.account)
    _demand("region", bool(_REGION.fullmatch(release.region)), "an AWS region such as eu-west-1", release.region)
    _demand(
        "platform", release.platform in PLATFORMS, f"one that Lambda runs, {' or '.join(PLATFORMS)}", release.platform
    )
    _demand("repository", bool(_REPOSITORY.fullmatch(release.repository)), "an ECR repository name", release.repository)
    for tag in tags:
        _demand("a tag", bool(_TAG.fullmatch(tag)), "letters, digits, '_', '.', '-', at most 128", tag)
    _demand("the tags", len(set(tags)) == len(tags), "different from each other", ", ".join(tags))
    memory = release.function_memory_mb
    # Lambda: 128 MB to 10,240 MB (CreateFunction, MemorySize).
    in_range = memory.isdigit() and 128 <= int(memory) <= 10_240  # noqa: PLR2004
    _demand("function_memory_mb", in_range, "a whole number from 128 to 10240", memory)
    _check_python(release)
    _check_browser(release)
    subject = release.ci_subject
    named = not subject or bool(_SUBJECT.fullmatch(subject))
    _demand("ci_subject", named, "<provider's host>:sub=<subject>, or nothing", subject)
    organization = release.organization_id
    known = bool(re.fullmatch(r"(?:o-[a-z0-9]{10,32})?", organization))  # Organizations: OrganizationId in its model
    _demand("organization_id", known, "an organization's identifier such as o-a1b2c3d4e5, or nothing", organization)
    _demand("signing_profile", _PROFILE.fullmatch(release.signing_profile) is not None,
            "the ARN of a signing profile, without its version, or nothing", release.signing_profile)  # fmt: skip
    for each in release.ci_source_ips:
        _demand("ci_source_ips", _is_range(each), "addresses or CIDR ranges, one a line", each)
    for key, kind in (("ci_source_vpce", "vpc-endpoint/vpce-"), ("ci_source_vpc", "vpc/vpc-")):
        stated, name = getattr(release, key), kind.rpartition("/")[2]
        fits = re.fullmatch(rf"(?:(?:arn:[\w-]+:ec2:[\w-]+:\d{{12}}:{kind}|{name})\w+)?", stated)
        _demand(key, fits is not None, f"an identifier ({name}…) or an ARN that ends with {kind}…, or nothing", stated)
    paths = () if release.zip_function else release.zip_paths
    _demand("zip_paths", not paths, "empty where zip_function is empty", ", ".join(paths))
    for key in ("safe_event", "safe_answer"):
        _demand(key, _is_event(getattr(release, key)), "a JSON object, or nothing", getattr(release, key))


def _check_python(release: Release) -> None:
    """What is asked of the image's Python, and nothing of it where there is none."""
    version, packages = release.python_version, release.development_packages
    known = not version or re.fullmatch(r"3\.[0-9]{1,2}", version) is not None
    _demand("python_version", known, "major.minor, such as 3.12, or nothing", version)
    _demand("development_packages", bool(packages) == bool(version), "Python packages, one a line, and empty where "
            "python_version is empty", ", ".join(packages))  # fmt: skip
    given = [key for key in ("chromedriver_bin", "startup_hooks") if getattr(release, key) and not version]
    _demand(" and ".join(given), not given, "empty where python_version is empty: the image's own Python opens the "
            "page through the driver, and lists what it runs when it starts", version)  # fmt: skip


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
