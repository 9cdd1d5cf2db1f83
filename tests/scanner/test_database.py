"""Advisories are read whole, or the scan fails and names the file."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from localaws.scanner import ScanFailed, database
from localaws.scanner.advisory import advisory_of
from localaws.scanner.database import AdvisoryDatabase, read_advisories

WriteAdvisories = Callable[..., Path]


def archive(path: Path, **entries: Any) -> Path:
    """A zip archive as OSV publishes them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, content in entries.items():
            writing.writestr(name.replace("__", "/"), content if isinstance(content, str) else json.dumps(content))
    return path


def test_no_advisories_fail_the_scan(make: SimpleNamespace, write_advisories: WriteAdvisories) -> None:
    """An empty folder fails the scan."""
    with pytest.raises(ScanFailed, match="no advisories, so nothing is known"):
        read_advisories([write_advisories()], [make.pypi()])


def test_withdrawn_advisories_do_not_count(make: SimpleNamespace, write_advisories: WriteAdvisories) -> None:
    """With withdrawn advisories only, the scan fails as with none."""
    with pytest.raises(ScanFailed, match="no advisories"):
        read_advisories([write_advisories(make.osv(withdrawn="2026-02-01T00:00:00Z"))], [make.pypi()])


def test_a_missing_folder_is_named(make: SimpleNamespace, tmp_path: Path) -> None:
    """A source that does not exist fails the scan."""
    with pytest.raises(ScanFailed, match="nowhere do not exist"):
        read_advisories([tmp_path / "nowhere"], [make.pypi()])


@pytest.mark.parametrize(
    ("home", "package"), [("Debian:12", ("deb", "zlib1g", "1-1")), ("PyPI", ("pypi", "thing", "1.0"))]
)
def test_an_ecosystem_without_any_advisory_fails_the_scan(
    make: SimpleNamespace, write_advisories: WriteAdvisories, home: str, package: tuple[str, ...]
) -> None:
    """Where no advisory is about the packages' ecosystem, nothing is known about them."""
    installed = getattr(make, package[0])(*package[1:])
    with pytest.raises(ScanFailed, match=f"None of the 1 advisories is about {home}"):
        read_advisories(
            [write_advisories(make.osv(ecosystem="Debian:11", name="other", events=[{"introduced": "0"}]))], [installed]
        )


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "null",
        "{}",
        '{"id": "X", "modified": "yesterday"}',
        '{"id": "X", "modified": "2026-01-01T00:00:00"}',
        '{"id": "X", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"name": "thing"}}]}',
        '{"id": "X", "modified": "2026-01-01T00:00:00Z", "affected": 7}',
        "[" * 100_000,
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_an_unreadable_advisory_is_named(
    make: SimpleNamespace, write_advisories: WriteAdvisories, content: str | bytes
) -> None:
    """A file that is not an OSV record fails the scan, and is named."""
    folder = write_advisories(make.osv())
    (folder / "broken.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ScanFailed, match=r"broken\.json"):
        read_advisories([folder], [make.pypi()])


@pytest.mark.parametrize(
    "damage",
    [
        {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:X"}]},
        {"severity": [{"type": "CVSS_V3"}]},
        {"aliases": [7]},
        {"summary": 7},
        {"affected": [{"package": {"ecosystem": "PyPI", "name": "thing"}, "ranges": [{"type": "ECOSYSTEM"}]}]},
        {"events": [{"fixed": "1.0"}]},
        {"events": [{"introduced": "0"}, {"fixed": "one"}]},
    ],
)
def test_a_damaged_advisory_about_an_installed_package_is_named(
    make: SimpleNamespace, write_advisories: WriteAdvisories, damage: dict[str, Any]
) -> None:
    """A record that concerns the image must be readable to its last vector, alias and event."""
    with pytest.raises(ScanFailed, match=r"0-CVE-2026-0001\.json is not a readable OSV record"):
        read_advisories([write_advisories(make.osv(**damage))], [make.pypi()])


def test_the_newest_change_is_the_datas_age(make: SimpleNamespace, write_advisories: WriteAdvisories) -> None:
    """The date of the vulnerability data is the latest `modified`, whichever file it is in."""
    folder = write_advisories(
        make.osv(modified="2026-03-01T00:30:00+01:00"),
        make.osv("CVE-2026-0002", modified="2025-01-01T00:00:00.123456789Z"),
    )
    assert read_advisories([folder], [make.pypi()]).newest == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


def test_osvs_own_archives_and_yaml_are_read(
    make: SimpleNamespace, write_advisories: WriteAdvisories, tmp_path: Path
) -> None:
    """A zip archive and a list in YAML count like a folder, together with one, and at any depth of it."""
    folder = write_advisories(make.osv("CVE-2026-0001"))
    (folder / "deep").mkdir()
    archive(folder / "deep" / "all.zip", **{"PYSEC-1.json": make.osv("PYSEC-1"), "notes.txt": "not a record"})
    (folder / "deep" / "list.yaml").write_text(yaml.safe_dump([make.osv("PYSEC-3"), make.osv("PYSEC-4")]))
    alone = archive(tmp_path / "more.zip", **{"dir__PYSEC-2.json": make.osv("PYSEC-2")})
    assert read_advisories([folder, alone], [make.pypi()]).count == 5


def test_a_zip_bomb_is_not_unpacked(make: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that unpacks to more than a record may hold is refused."""
    monkeypatch.setattr(database, "MOST_BYTES", 1_000_000)
    bomb = archive(tmp_path / "all.zip", **{"bomb.json": '{"id": "' + "0" * 2_000_000 + '"}'})
    with pytest.raises(ScanFailed, match=r"all\.zip:bomb\.json is larger than 1000000 bytes"):
        read_advisories([bomb], [make.pypi()])


@pytest.mark.parametrize("content", ["{}", "", "7", "- id: [", "- 7"])
def test_a_yaml_file_that_is_not_a_list_of_records_is_named(
    make: SimpleNamespace, write_advisories: WriteAdvisories, content: str
) -> None:
    """A YAML file with anything but OSV records fails the scan."""
    folder = write_advisories(make.osv())
    (folder / "broken.yaml").write_text(content)
    with pytest.raises(ScanFailed, match=r"broken\.yaml"):
        read_advisories([folder], [make.pypi()])


@pytest.mark.parametrize("cut", [10, -30])
def test_a_cut_archive_is_named(make: SimpleNamespace, tmp_path: Path, cut: int) -> None:
    """Half an archive fails the scan."""
    path = archive(tmp_path / "all.zip", **{"PYSEC-1.json": make.osv("PYSEC-1")})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ScanFailed, match=r"all\.zip cannot be read"):
        read_advisories([path], [make.pypi()])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["aliases", "upstream", "affected", "severity", "summary", "references", "database_specific"])


@given(KEYS, JSON)
def test_any_value_anywhere_is_read_or_refused(key: str, value: Any) -> None:
    """Any value in a record is read, or raises one of the errors that fail the scan."""
    record = {"id": "X-1", "modified": "2026-01-01T00:00:00Z", key: value}
    try:
        AdvisoryDatabase().take(record, "x.json", set())
        advisory = advisory_of(record, "x.json")
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    assert "X-1" in advisory.names
