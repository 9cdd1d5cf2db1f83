"""Where the release is stated: in the gate's own pytest.ini, or in that of the folder that --release-folder names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gate.errors import WrongUse
from gate.options import nearest
from gate.release import Release
from gate.release_file import ini_settings, ini_value

INI = "pytest.ini"


def folder_of_release(config: Any) -> Path:
    """The folder that a run's files belong to, and that the release's paths are relative to (`config` is pytest's)."""
    given = config.getoption("--release-folder")
    return Path(given).resolve() if given else config.rootpath


def reader(config: Any) -> Callable[[str], Any]:
    """What answers the value of one of the release's keys, as `gate.release_file.read` asks for it.

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
    stated = stated_in(folder_of_release(config))
    return lambda key: ini_value(stated, key)


def stated_in(folder: Path) -> Mapping[str, str]:
    """The keys in the pytest.ini of a release's folder, with their texts.

    Raises:
        WrongUse: it cannot be read, or has a key that is none of a release: perhaps one of them, misspelt.
    """
    where = str(folder / INI)
    try:
        stated = ini_settings(folder / INI)
    except (OSError, KeyError, ValueError) as error:
        raise WrongUse(f"--release-folder names no folder with a {INI} that can be read: {error}", where=where,
                       remedy="make one with `make adopt`, or correct the path") from error  # fmt: skip
    keys = list(Release.__dataclass_fields__)
    if unknown := [key for key in stated if key not in keys]:
        raise WrongUse(f"{unknown[0]} is no key of a release{nearest(unknown[0], keys)}", where=where,
                       remedy="settings of the gate itself stand in the gate's own pytest.ini")  # fmt: skip
    return stated
