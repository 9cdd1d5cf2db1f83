"""The advisories that ship with the project are well formed, true to themselves, and silent about today's packages."""

from typing import Any

import pytest
import yaml

from localaws.scanner import SHIPPED
from localaws.scanner.advisory import advisory_of
from localaws.scanner.database import read_advisories
from localaws.scanner.packages import DEBIAN, PYPI, Package
from localaws.scanner.scanner import findings_in
from localaws.scanner.severity import rated

pytestmark = pytest.mark.slow

RECORDS = [record for file in sorted(SHIPPED.glob("*.yaml")) for record in yaml.safe_load(file.read_text())]
FIELDS = {"id", "modified", "aliases", "summary", "severity", "affected"}
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
SYSTEM = "chromium libwebp openssl glibc expat curl xz-utils zlib libxml2 freetype nss sqlite3"
PYTHON = "urllib3 requests pyyaml jinja2 certifi setuptools idna h11"


@each_record
def test_a_record_is_consistent(record: dict[str, Any]) -> None:
    """In each range the version before the fix is affected and the fix is not; the vectors give a severity."""
    assert set(record) <= FIELDS
    assert record["summary"]
    advisory = advisory_of(record, record["id"])
    assert rated(advisory.vectors).severity in {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
    for affected in advisory.affected:
        fixes = [version for events in affected.ranges for kind, version in events if kind == "fixed"]
        assert not any(affected.affects(fix) for fix in fixes)
        assert all(affected.affects(fix + ("~" if affected.ecosystem == DEBIAN else ".dev0")) for fix in fixes)


def test_the_packages_of_such_an_image_are_known() -> None:
    """There is an advisory for each package that a Chrome-on-Lambda image is likely to have."""
    advisories = [advisory_of(record, record["id"]) for record in RECORDS]
    names = {(affected.ecosystem, affected.name) for advisory in advisories for affected in advisory.affected}
    assert {(DEBIAN, name) for name in SYSTEM.split()} | {(PYPI, name) for name in PYTHON.split()} <= names


def test_no_two_records_are_about_the_same() -> None:
    """No vulnerability is stated twice."""
    ids = [name for record in RECORDS for name in (record["id"], *record.get("aliases", ())) if name.startswith("CVE-")]
    assert len(ids) == len(set(ids)) == len(RECORDS)


@pytest.mark.parametrize(
    ("source", "version", "expected"),
    [
        ("xz-utils", "5.6.1-1", {"CVE-2024-3094": "CRITICAL"}),
        ("xz-utils", "5.6.1+really5.4.5-1", {}),
        ("xz-utils", "5.4.1-1+deb12u2", {}),
        ("chromium", "156.0.8078.79-1~deb12u1", {}),
        (
            "chromium",
            "124.0.6367.118-1~deb12u1",
            {"CVE-2024-4671": "CRITICAL", "CVE-2024-7971": "HIGH", "CVE-2025-5419": "HIGH"},
        ),
        ("curl", "7.88.1-10+deb12u3", {"CVE-2023-38545": "CRITICAL", "CVE-2023-46218": "MEDIUM"}),
        ("openssl", "3.0.22-1~deb12u2", {}),
        ("openssl", "3.0.17-1~deb12u3", {"CVE-2025-15467": "HIGH"}),
        ("zlib", "1:1.2.13.dfsg-1", {}),
        ("zlib", "1:1.2.11.dfsg-4", {"CVE-2022-37434": "CRITICAL"}),
        ("sqlite3", "3.40.1-2+deb12u1", {"CVE-2025-6965": "HIGH"}),
        ("libgcrypt20", "1.10.1-3+deb12u1", {"CVE-2024-2236": "MEDIUM"}),
    ],
)
def test_history_is_checked_as_it_was(source: str, version: str, expected: dict[str, str]) -> None:
    """Real versions of bookworm or testing are vulnerable or not, as they were."""
    package = Package(source, version, DEBIAN, "12", source, version)
    found = findings_in([package], read_advisories([SHIPPED], [package]))
    assert {finding.id: finding.severity for finding in found} == expected


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("pyyaml", "5.3.1", {"CVE-2020-14343"}),
        ("pyyaml", "5.3", {"CVE-2020-14343", "CVE-2020-1747"}),
        ("urllib3", "1.26.18", {"CVE-2024-37891", "CVE-2025-66471"}),
        ("urllib3", "2.6.0", set()),
        ("requests", "2.31.0", {"CVE-2024-35195", "CVE-2024-47081"}),
        ("certifi", "2022.12.7", {"CVE-2023-37920"}),
        ("certifi", "2023.07.22", set()),
        ("h11", "0.14.0", {"CVE-2025-43859"}),
    ],
)
def test_python_history_is_checked_as_it_was(name: str, version: str, expected: set[str]) -> None:
    """Releases on PyPI are vulnerable or not, as they were."""
    package = Package(name, version, PYPI, "", name, version)
    found = findings_in([package], read_advisories([SHIPPED], [package]))
    assert {finding.id for finding in found} == expected
