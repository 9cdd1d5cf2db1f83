"""The configuration of a run as evidence: what it decided by, and whether that is what the repository states. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate.evidence.reading import as_written
from gate.typed import typed

TITLE = "configuration of the run"
# Where a run writes, keeps its local state and its cache, for how long, and whom it tells; nothing that is checked.
NOT_OF_THE_RELEASE = ("reports", "local_state", "cache_dir", "keep_runs", "keep_nights", "on_not_clean")
_LONGEST = 80


@dataclass(frozen=True)
class Configuration:
    """What a run was configured with.

    Attributes:
        release: each key of the release with the value that the run decided by.
        stated: each with the value that the gate's own pytest.ini states.
        given: options of the command line that are documented to take a key's place, with their value.
        ini_file: where the settings came from, when that is another file than the gate's own pytest.ini; else "".
        settings: other keys of pytest.ini that were overridden (-o, PYTEST_ADDOPTS), with the value given.
        plugins: plugins that were asked for beyond those that pytest.ini names.
        python_flags: flags of the interpreter that change what the gate's code does.
        claims: each way in which the features differ from the pinned list of claims.
        pinned: the names of all pinned claims.
        pin_sha256: of the pinned list; "" when there is none.
        command_line: the arguments, secrets redacted.
        options: every option of the gate with its effective value.
        environment: the names of the variables that may matter; no values.
        gate: the commit of the gate, and whether its work tree was clean.
        versions: of Python, of the libraries that check, and of the Docker engine.
    """

    release: Mapping[str, Any]
    stated: Mapping[str, Any]
    given: Mapping[str, str]
    ini_file: str
    settings: Mapping[str, str]
    plugins: Sequence[str]
    python_flags: Sequence[str]
    claims: Sequence[str]
    pinned: Sequence[str]
    pin_sha256: str
    command_line: Sequence[str]
    options: Mapping[str, Any]
    environment: Sequence[str]
    gate: Mapping[str, Any]
    versions: Mapping[str, str]


def overridden(found: Configuration) -> tuple[str, ...]:
    """What was decided by something else than the repository states, a sentence each: the run is INCOMPLETE at most."""
    return (
        *(
            f"{key} is {_short(value)} in this run, and pytest.ini states {_short(found.stated.get(key))}"
            for key, value in found.release.items()
            # A key that is not there and one without a value say the same.
            if (value or None) != (found.stated.get(key) or None) and found.given.get(key) != value
        ),
        *([f"the settings were read from {found.ini_file}, not from the gate's pytest.ini"] if found.ini_file else []),
        *(f"the setting {key} is {_short(value)}, given on the command line" for key, value in found.settings.items()),
        *(f"the plugin {name} was loaded, which pytest.ini does not name" for name in found.plugins),
        *(f"Python ran with {flag}" for flag in found.python_flags),
        *found.claims,
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    if not text:
        return "nothing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def configuration_in(answer: Any) -> Configuration:
    """The configuration, read back from the answer of its record.

    Raises:
        EvidenceDamaged: it has gaps, or more than this gate knows.
    """
    with as_written(f"the {TITLE}"):
        found: Configuration = typed(Configuration, answer)
    return found
