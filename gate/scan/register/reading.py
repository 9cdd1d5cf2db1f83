"""From the file's text to the register: form, then the rules that a schema cannot say. Pure but for `load`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from packageurl import PackageURL

from gate.errors import WrongUse
from gate.scan.ecosystems import canonical, full_name
from gate.scan.register.entries import Exempted, Named, Register, SupportException, Unseen, version_range
from gate.scan.register.schema import form_faults
from gate.scan.register.source import MAX_BYTES, Document, Fault, read_yaml
from gate.text import plain

LONGEST = timedelta(days=90)
Entry = TypeVar("Entry", Exempted, Unseen, SupportException)


class _Refused(ValueError):
    """One entry breaks a rule; the text says which."""


def load(path: Path) -> Register:
    """The register in a file.

    Raises:
        WrongUse: the file cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return parse(raw.decode("utf-8"), f"{path.parent.name}/{path.name}")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(
            f"The register of exceptions cannot be read: {plain(str(error))}",
            where=f"{path.parent.name}/{path.name}",
            remedy='put the register beside the Dockerfile; docs/qa.md, "The register of exceptions", shows its form',
        ) from error


def parse(text: str, source: str = "image/exceptions.yaml") -> Register:
    """The register that a text describes; what is wrong with it is in its faults, never an exception."""
    document = read_yaml(text)
    if document.faults or not isinstance(document.value, dict):
        faults = document.faults or [Fault(1, "the register is empty, or not a mapping of keys to values")]
        return Register(source, (), (), (), tuple(faults))
    faults = list(form_faults(document))
    bad = {fault.line for fault in faults}
    exceptions = _entries(document, "exceptions", _exempted, bad, faults)
    coverage = _entries(document, "coverage", _unseen, bad, faults)
    support = _entries(document, "support", _support, bad, faults)
    faults += [*_twice(exceptions), *_twice_unseen(coverage), *_twice_support(support)]
    policy = document.value.get("policy")
    stated = tuple((str(k), str(v)) for k, v in policy.items()) if isinstance(policy, dict) else ()
    in_order = tuple(sorted(faults, key=lambda f: f.line))
    return Register(source, stated, tuple(exceptions), tuple(coverage), in_order, tuple(support))


def _entries(
    document: Document, kind: str, make: Callable[[dict[str, str], int], Entry], bad: set[int], faults: list[Fault]
) -> list[Entry]:
    """The well-formed entries of one list; each other one adds its fault."""
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
        except _Refused as refusal:
            faults.append(Fault(document.line_of((kind, at)), f"{kind}[{at}]: {plain(str(refusal))}"))
    return made


def _exempted(raw: dict[str, str], line: int) -> Exempted:
    _refuse_wildcards(raw, "id", "package", "versions")
    _refuse_placeholders(raw)
    decided, expires = _term(raw)
    texts = {key: raw.get(key, "") for key in ("id", "target", "decision", "justification", "rationale")}
    roles = {key: raw[key] for key in ("owner", "reviewer", "reference")}
    return Exempted(**texts, **roles, package=named_package(raw), decided=decided, expires=expires, line=line)


def _term(raw: dict[str, str]) -> tuple[date, date]:
    decided, expires = _date(raw, "decided"), _date(raw, "expires")
    if expires <= decided:
        raise _Refused(f"it expires on {expires}, which is not after it was decided ({decided})")
    if expires - decided > LONGEST:
        raise _Refused(f"it runs for {(expires - decided).days} days ({decided} to {expires}); at most 90 are allowed")
    return decided, expires


def _support(raw: dict[str, str], line: int) -> SupportException:
    _refuse_placeholders(raw)
    decided, expires = _term(raw)
    if raw["owner"] == raw["reviewer"]:
        raise _Refused(f"the reviewer ({raw['reviewer']}) is its owner; another role has to agree")
    texts = {key: raw[key] for key in ("what", "reason", "check", "owner", "reviewer")}
    return SupportException(**texts, decided=decided, expires=expires, line=line)


def _unseen(raw: dict[str, str], line: int) -> Unseen:
    _refuse_wildcards(raw, "purl", "path")
    _refuse_placeholders(raw)
    if ("purl" in raw) == ("ecosystem" in raw) or ("path" in raw and "purl" in raw):
        raise _Refused("give either a purl, or an ecosystem (with a path, if it is only about one folder)")
    texts = {key: raw[key] for key in ("target", "scanning", "reason", "check")}
    about = _component(raw["purl"]) if "purl" in raw else _kind(raw["ecosystem"], raw.get("path", ""))
    return Unseen(**texts, **about, expires=_date(raw, "expires"), line=line)


def _component(text: str) -> dict[str, str]:
    purl = _purl(text)
    return {"purl": text, "type": purl.type, "name": full_name(purl), "version": purl.version or ""}


def _kind(ecosystem: str, path: str) -> dict[str, str]:
    if ecosystem == "generic":
        raise _Refused("ecosystem: what comes from no package is no kind; name each such program by its purl")
    return {"purl": "", "type": ecosystem, "name": "", "version": "", "path": path.rstrip("/")}


def named_package(raw: dict[str, str]) -> Named:
    """The package that an exception names by its keys `package` and `versions`.

    Raises:
        ValueError: it names none, or every version of it.
    """
    text, versions = raw["package"], raw.get("versions", "")
    if not text.startswith("pkg:"):
        if not versions:
            raise _Refused(f"the name {text!r} stands for every version: add versions:, exact or as a vers: range")
        return Named(text, "", text, _checked_range(versions))
    purl = _purl(text)
    if bool(purl.version) == bool(versions):
        raise _Refused(f"give one of a version in {text} and versions: (without either it stands for every version)")
    return Named(text, purl.type, full_name(purl), _checked_range(versions) if versions else _version(purl))


def _version(purl: PackageURL) -> str:
    # package-url's type "rpm" has the epoch among the qualifiers; scanners write it before the version.
    epoch = dict(purl.qualifiers or {}).get("epoch", "") if purl.type == "rpm" else ""
    return (f"{epoch}:" if epoch else "") + (purl.version or "")


def _checked_range(versions: str) -> str:
    if not versions.startswith("vers:"):
        return versions
    try:
        constraints = version_range(versions).constraints
    except Exception as error:  # univers raises whatever its parsers raise; each means that the range is unreadable
        raise _Refused(f"the version range {versions!r} cannot be read: {error}") from error
    if not constraints or constraints[-1].comparator not in {"<", "<=", "="}:
        raise _Refused(f"the version range {versions!r} has no upper end, so it covers versions that nobody has seen")
    return versions


def _purl(text: str) -> PackageURL:
    try:
        return PackageURL.from_string(text)
    except ValueError as error:
        raise _Refused(f"{text!r} is no package URL: {error}") from error


def _date(raw: dict[str, str], key: str) -> date:
    try:
        return date.fromisoformat(raw[key])
    except ValueError as error:
        raise _Refused(f"{key}: {raw[key]!r} is no day of the calendar") from error


def _refuse_wildcards(raw: dict[str, str], *keys: str) -> None:
    for key in keys:
        # In a package URL a question mark begins the qualifiers.
        if set(raw.get(key, "")) & set("*" if raw.get(key, "").startswith("pkg:") else "*?"):
            raise _Refused(f"{key}: {raw[key]!r} is a wildcard; an entry covers only what it names")


def _refuse_placeholders(raw: dict[str, str]) -> None:
    for key, value in raw.items():
        if value.startswith("<"):
            raise _Refused(f"{key}: {value!r} is still the placeholder of a suggested entry; fill it in")


def _twice(entries: list[Exempted]) -> Iterator[Fault]:
    first: dict[tuple[str, ...], Exempted] = {}
    for entry in entries:
        for target in ("aws", "local") if entry.target == "both" else (entry.target,):
            name = canonical(entry.package.name) if entry.package.type == "pypi" else entry.package.name
            known = first.setdefault((entry.id, name, entry.package.versions, target), entry)
            if known is not entry:
                yield Fault(entry.line, f"this repeats the exception of line {known.line}: {entry.id}, {name}")
                break


def _twice_unseen(entries: list[Unseen]) -> Iterator[Fault]:
    for at, entry in enumerate(entries):
        for known in entries[:at]:
            if known.title == entry.title and _overlap(known, entry):
                yield Fault(entry.line, f"this repeats the coverage entry of line {known.line}: {entry.title}")
                break


def _twice_support(entries: list[SupportException]) -> Iterator[Fault]:
    first: dict[str, SupportException] = {}
    for entry in entries:
        known = first.setdefault(entry.what, entry)
        if known is not entry:
            yield Fault(entry.line, f"this repeats the entry of line {known.line}: the support of {entry.what}")


def _overlap(one: Unseen, other: Unseen) -> bool:
    targets = "both" in {one.target, other.target} or one.target == other.target
    return targets and ("both" in {one.scanning, other.scanning} or one.scanning == other.scanning)
