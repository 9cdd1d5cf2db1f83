"""The register from the file's text: its form, then the rules that a schema cannot state. Pure except `load`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from packaging.utils import canonicalize_name

from gate.errors import WrongUse
from gate.scan.components import full_name
from gate.scan.exceptions.entries import CoverageEntry, FindingException, Register, SupportException, VexEntry
from gate.scan.exceptions.packages import InvalidEntry, package_selector, parse_purl
from gate.scan.exceptions.policy import fixable_row
from gate.scan.exceptions.schema import FIXABLE, form_faults
from gate.scan.exceptions.source import MAX_BYTES, RegisterFault, YamlDocument, read_yaml
from gate.scan.exceptions.vex import MAX_BYTES as MOST_OF_VEX
from gate.scan.exceptions.vex import read_vex
from gate.text import plain

LONGEST = timedelta(days=90)
Entry = TypeVar("Entry", FindingException, CoverageEntry, SupportException, VexEntry)


def load(path: Path) -> Register:
    """The register in a file.

    Raises:
        WrongUse: the file cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return parse(raw.decode("utf-8"), f"{path.parent.name}/{path.name}", lambda name: _file_beside(path, name))
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(
            f"The register of exceptions cannot be read: {plain(str(error))}",
            where=f"{path.parent.name}/{path.name}",
            remedy='put the register beside the Dockerfile; docs/qa.md, "The register of exceptions", shows its form',
        ) from error


def _file_beside(register: Path, name: str) -> bytes:
    path = register.parent / name
    # A link may lead anywhere, and a pipe may never end.
    if not path.resolve().is_relative_to(register.parent.resolve()) or not path.is_file():
        raise InvalidEntry(f"file: {name!r} is no file beside the register")
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_OF_VEX + 1)
    except OSError as error:
        raise InvalidEntry(f"file: {name!r} cannot be read: {error.strerror}") from error
    if len(raw) > MOST_OF_VEX:
        raise InvalidEntry(f"file: {name!r} is larger than {MOST_OF_VEX:,} bytes; keep the statements that are needed")
    return raw


def _no_files(name: str) -> bytes:
    raise InvalidEntry(f"file: {name!r} is no file beside the register")


def parse(
    text: str, source: str = "image/exceptions.yaml", file_beside: Callable[[str], bytes] = _no_files
) -> Register:
    """The register that a text describes; what is wrong with it is in its faults, never an exception.

    `file_beside` gives the bytes of a file beside it, and raises InvalidEntry where there is none.
    """
    document = read_yaml(text)
    if document.faults or not isinstance(document.value, dict):
        faults = document.faults or [RegisterFault(1, "the register is empty, or not a mapping of keys to values")]
        return Register(source, faults=tuple(faults))
    faults = list(form_faults(document))
    bad = {fault.line for fault in faults}
    exceptions = _entries(document, "exceptions", _finding_exception, bad, faults)
    coverage = _entries(document, "coverage", _coverage_entry, bad, faults)
    support = _entries(document, "support", _support_exception, bad, faults)
    vex = _entries(document, "vex", lambda raw, line: _vex_entry(raw, line, file_beside), bad, faults)
    faults += _repeated(exceptions, _keys_of_exception)
    faults += _repeated(coverage, _keys_of_coverage)
    faults += _repeated(support, lambda entry: [entry.what])
    faults += _repeated(vex, lambda entry: product([entry.sha256], _each_of(entry.target, "aws", "local")))
    stated = tuple(_rows(document.value.get("policy")))
    in_order = tuple(sorted(faults, key=lambda f: f.line))
    return Register(source, stated, tuple(exceptions), tuple(coverage), in_order, tuple(support), tuple(vex))


def _rows(policy: Any) -> Iterator[tuple[str, str]]:
    """The rows of the policy; those of a fix have a severity each. The schema says what is wrong with them."""
    for key, value in policy.items() if isinstance(policy, dict) else ():
        if key != FIXABLE:
            yield key, str(value)
        elif isinstance(value, dict):
            yield from ((fixable_row(severity), str(required)) for severity, required in value.items())


def _entries(
    document: YamlDocument,
    kind: str,
    make: Callable[[dict[str, str], int], Entry],
    bad: set[int],
    faults: list[RegisterFault],
) -> list[Entry]:
    """The well-formed entries of one list; the others add their faults."""
    lines: dict[Any, set[int]] = {}
    for path, line in document.lines.items():
        if path[:1] == (kind,) and len(path) > 1:
            lines.setdefault(path[1], set()).add(line)
    made: list[Entry] = []
    listed = document.value.get(kind)
    for at, raw in enumerate(listed if isinstance(listed, list) else []):
        if lines[at] & bad:
            continue  # the schema has said what is wrong with it
        try:
            made.append(make(raw, document.line_of((kind, at))))
        except InvalidEntry as refusal:
            faults.append(RegisterFault(document.line_of((kind, at)), f"{kind}[{at}]: {plain(str(refusal))}"))
    return made


def _finding_exception(raw: dict[str, str], line: int) -> FindingException:
    _refuse_wildcards(raw, "id", "package", "versions")
    own: dict[str, Any] = {key: raw[key] for key in raw.keys() - {"versions"}}
    return FindingException(**{**own, **_term(raw), "package": package_selector(raw), "line": line})


def _vex_entry(raw: dict[str, str], line: int, file_beside: Callable[[str], bytes]) -> VexEntry:
    term, product = _term(raw, reviewed=True), raw.get("product", "")
    if product and not parse_purl(product).version:
        raise InvalidEntry(f"product: {product} has no version, so it would stand for every one")
    document = read_vex(file_beside(raw["file"]), raw["sha256"], product)
    return VexEntry(**{**raw, **term, "document": document, "line": line})


def _support_exception(raw: dict[str, str], line: int) -> SupportException:
    return SupportException(**{**raw, **_term(raw, reviewed=True), "line": line})


def _coverage_entry(raw: dict[str, str], line: int) -> CoverageEntry:
    _refuse_wildcards(raw, "purl", "path")
    _refuse_placeholders(raw)
    if ("purl" in raw) == ("ecosystem" in raw) or ("path" in raw and "purl" in raw):
        raise InvalidEntry("give either a purl, or an ecosystem (with a path, if it is only about one folder)")
    own: dict[str, Any] = {key: raw[key] for key in raw.keys() - {"ecosystem"}}
    about = _component(raw["purl"]) if "purl" in raw else _kind(raw["ecosystem"], raw.get("path", ""))
    return CoverageEntry(**{**own, **about, "expires": _date(raw, "expires"), "line": line})


def _term(raw: dict[str, str], *, reviewed: bool = False) -> dict[str, Any]:
    """The first and the last day of an entry that is filled in, and of which two roles answer if it is `reviewed`."""
    _refuse_placeholders(raw)
    decided, expires = _date(raw, "decided"), _date(raw, "expires")
    if expires <= decided:
        raise InvalidEntry(f"it expires on {expires}, which is not after it was decided ({decided})")
    if expires - decided > LONGEST:
        raise InvalidEntry(
            f"it runs for {(expires - decided).days} days ({decided} to {expires}); at most 90 are allowed"
        )
    if reviewed and raw["owner"] == raw["reviewer"]:
        raise InvalidEntry(f"the reviewer ({raw['reviewer']}) is its owner; another role has to agree")
    return {"decided": decided, "expires": expires}


def _component(text: str) -> dict[str, str]:
    purl = parse_purl(text)
    return {"purl": text, "type": purl.type, "name": full_name(purl), "version": purl.version or ""}


def _kind(ecosystem: str, path: str) -> dict[str, str]:
    if ecosystem == "generic":
        raise InvalidEntry("ecosystem: what comes from no package is not one type; name each such program by its purl")
    return {"purl": "", "type": ecosystem, "name": "", "version": "", "path": path.rstrip("/")}


def _date(raw: dict[str, str], key: str) -> date:
    try:
        return date.fromisoformat(raw[key])
    except ValueError as error:
        raise InvalidEntry(f"{key}: {raw[key]!r} is no day of the calendar") from error


def _refuse_wildcards(raw: dict[str, str], *keys: str) -> None:
    for key in keys:
        # In a package URL a question mark begins the qualifiers.
        if set(raw.get(key, "")) & set("*" if raw.get(key, "").startswith("pkg:") else "*?"):
            raise InvalidEntry(f"{key}: {raw[key]!r} is a wildcard; an entry covers only what it names")


def _refuse_placeholders(raw: dict[str, str]) -> None:
    for key, value in raw.items():
        if value.startswith("<"):
            raise InvalidEntry(f"{key}: {value!r} is still the placeholder of a suggested entry; fill it in")


def _repeated(entries: Iterable[Entry], keys: Callable[[Entry], Iterable[Any]]) -> Iterator[RegisterFault]:
    """The entries of which a key is that of an earlier one."""
    first: dict[Any, Entry] = {}
    for entry in entries:
        known = next((known for key in keys(entry) if (known := first.setdefault(key, entry)) is not entry), None)
        if known:
            yield RegisterFault(entry.line, f"this repeats the entry of line {known.line}: {known.title}")


def _keys_of_exception(entry: FindingException) -> Iterator[Any]:
    name = canonicalize_name(entry.package.name) if entry.package.type == "pypi" else entry.package.name
    for target in _each_of(entry.target, "aws", "local"):
        yield entry.id.upper(), name, entry.package.versions, target


def _keys_of_coverage(entry: CoverageEntry) -> Iterator[Any]:
    return product([entry.title], _each_of(entry.target, "aws", "local"), _each_of(entry.scanning, "basic", "enhanced"))


def _each_of(word: str, *words: str) -> tuple[str, ...]:
    return words if word == "both" else (word,)
