"""Packages against advisories."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localaws.ecr.findings import PackageVulnerability
from localaws.scanner import ScanFailed
from localaws.scanner.database import read_advisories
from localaws.scanner.packages import Package
from localaws.scanner.scanner import findings_in

LOW = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N"}]


@pytest.fixture
def found(write_advisories: Callable[..., Path]) -> Callable[..., tuple[PackageVulnerability, ...]]:
    """The findings of some records in some packages."""

    def find(records: list[dict[str, Any]], *packages: Package) -> tuple[PackageVulnerability, ...]:
        return findings_in(packages, read_advisories([write_advisories(*records)], packages))

    return find


def debian(make: SimpleNamespace, id: str, name: str, fixed: str = "", home: str = "Debian:12", **more: Any) -> Any:
    """A record of a Debian source package."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return make.osv(id, home, name, events, **more)


def test_a_vulnerable_package_is_found(make: SimpleNamespace, found: Any) -> None:
    """The finding names package, version, fix, score and vector."""
    (finding,) = found([make.osv(summary="It breaks.")], make.pypi())
    assert (finding.id, finding.severity, finding.package, finding.version) == (
        "CVE-2026-0001",
        "CRITICAL",
        "thing",
        "1.0",
    )
    assert (finding.fixed_version, finding.score, finding.description) == ("2.0", 9.8, "It breaks.")
    assert (finding.manager, finding.path) == ("PYTHONPKG", "/METADATA")


def test_a_repaired_package_is_not_found(make: SimpleNamespace, found: Any) -> None:
    """The fixed version has no finding."""
    assert found([make.osv()], make.pypi(version="2.0")) == ()


def test_debians_advisories_name_the_source_package(make: SimpleNamespace, found: Any) -> None:
    """The source's version decides, its two binary packages are one finding that names them both."""
    installed = [make.deb(name, "2.36-9", "glibc") for name in ("libc6", "libc-bin")]
    (finding,) = found([debian(make, "CVE-2026-0002", "glibc", "2.36-9+deb12u3")], *installed)
    assert (finding.package, finding.version, finding.manager) == ("glibc", "2.36-9", "OS")
    assert finding.description.startswith("Installed as libc-bin, libc6.")


def test_a_rebuilds_own_version_does_not_count(make: SimpleNamespace, found: Any) -> None:
    """A binary rebuild has another version than its source; the source's is compared."""
    rebuilt = make.deb("libbz2-1.0", "1.0.8-5+b1", "bzip2", "1.0.8-5")
    assert found([debian(make, "CVE-2026-0002", "bzip2", "1.0.8-5")], rebuilt) == ()
    assert len(found([debian(make, "CVE-2026-0002", "bzip2", "1.0.8-5+a")], rebuilt)) == 1


def test_a_binary_packages_name_is_not_a_sources(make: SimpleNamespace, found: Any) -> None:
    """An advisory about the source `python3` says nothing of the binary `python3` that python3-defaults builds."""
    binary = make.deb("python3", "3.11.2-1", "python3-defaults")
    assert found([debian(make, "CVE-2026-0002", "python3", "99-1")], binary) == ()


@pytest.mark.parametrize(("home", "hits"), [("Debian:12", 1), ("Debian", 1), ("Debian:11", 0), ("Debian:120", 0)])
def test_the_release_counts(make: SimpleNamespace, found: Any, home: str, hits: int) -> None:
    """Debian:12 and Debian without a release concern bookworm, other releases do not."""
    records = [debian(make, "CVE-2026-0002", "zlib", "2-1", home), debian(make, "CVE-2026-0003", "other")]
    assert len(found(records, make.deb("zlib1g", "1-1", "zlib"))) == hits


def test_one_release_may_be_repaired_and_another_not(make: SimpleNamespace, found: Any) -> None:
    """Of an advisory about several releases only the image's own counts."""
    record = debian(make, "CVE-2026-0002", "zlib", "1-1")
    record["affected"] += debian(make, "x", "zlib", "", "Debian:13")["affected"]
    assert found([record], make.deb("zlib1g", "1-1", "zlib")) == ()


@pytest.mark.parametrize(
    ("written", "installed", "hits"),
    [("PyYAML", "pyyaml", 1), ("Py_YAML", "py-yaml", 1), ("py.yaml", "py-yaml", 1), ("py-yaml", "pyyaml", 0)],
)
def test_python_names_are_compared_normalised(
    make: SimpleNamespace, found: Any, written: str, installed: str, hits: int
) -> None:
    """Case, dots, dashes and underscores make no other package (PEP 503); joining words does."""
    records = [make.osv(name=written), make.osv("CVE-2026-0009", name="other")]
    assert len(found(records, make.pypi(installed))) == hits


def test_aliases_are_one_vulnerability(make: SimpleNamespace, found: Any) -> None:
    """GHSA, PYSEC and CVE records of one vulnerability are one finding, the worst rating of all."""
    records = [
        make.osv("GHSA-aaaa-bbbb-cccc", aliases=["CVE-2026-0001"], severity=LOW),
        make.osv("PYSEC-2026-1", aliases=["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"], severity=[]),
        make.osv("CVE-2026-0001"),
    ]
    (finding,) = found(records, make.pypi())
    assert (finding.id, finding.severity) == ("CVE-2026-0001", "CRITICAL")


def test_aliases_are_joined_through_a_third_record(make: SimpleNamespace, found: Any) -> None:
    """Two records that share no id are one finding when a third names both."""
    records = [
        make.osv("PYSEC-2026-1", aliases=["GHSA-aaaa-bbbb-cccc"]),
        make.osv("GHSA-aaaa-bbbb-cccc"),
        make.osv("OSV-2026-1", aliases=["PYSEC-2026-1"]),
    ]
    assert [finding.id for finding in found(records, make.pypi())] == ["GHSA-aaaa-bbbb-cccc"]


def test_a_record_without_cve_takes_its_aliass(make: SimpleNamespace, found: Any) -> None:
    """A record whose alias knows the CVE is that CVE's finding."""
    records = [
        make.osv("PYSEC-2026-1", aliases=["GHSA-aaaa-bbbb-cccc"]),
        make.osv("GHSA-aaaa-bbbb-cccc", aliases=["CVE-2026-0001"]),
    ]
    assert [finding.id for finding in found(records, make.pypi())] == ["CVE-2026-0001"]


def test_an_advisory_about_several_cves_gives_a_finding_for_each(make: SimpleNamespace, found: Any) -> None:
    """A distribution's advisory about three CVEs gives three findings."""
    bundle = debian(make, "DSA-1-1", "zlib", "2-1", upstream=["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"])
    findings = found([bundle], make.deb("zlib1g", "1-1", "zlib"))
    assert [finding.id for finding in findings] == ["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"]


def test_different_vulnerabilities_stay_apart(make: SimpleNamespace, found: Any) -> None:
    """Two CVEs of one package are two findings."""
    assert len(found([make.osv("CVE-2026-0001"), make.osv("CVE-2026-0002")], make.pypi())) == 2


def test_a_rating_is_taken_from_the_cves_own_record(make: SimpleNamespace, found: Any) -> None:
    """Debian's record has no vector; the CVE's record, which names no package, has."""
    records = [
        debian(make, "DEBIAN-CVE-2026-0001", "zlib", "2-1", upstream=["CVE-2026-0001"], severity=[]),
        make.osv("CVE-2026-0001", affected=[{"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]),
    ]
    (finding,) = found(records, make.deb("zlib1g", "1-1", "zlib"))
    assert (finding.id, finding.severity) == ("CVE-2026-0001", "CRITICAL")


def test_a_vector_may_stand_beside_the_package(make: SimpleNamespace, found: Any) -> None:
    """OSV allows a severity in `affected` too."""
    record = make.osv(severity=[])
    record["affected"][0]["severity"] = LOW
    assert [finding.severity for finding in found([record], make.pypi())] == ["LOW"]


def test_an_unrated_vulnerability_is_undefined(make: SimpleNamespace, found: Any) -> None:
    """Without any rating the severity is ECR's UNDEFINED, which is sorted with the worst."""
    records = [make.osv("CVE-2026-0001", severity=LOW), make.osv("CVE-2026-0002", severity=[])]
    assert [finding.severity for finding in found(records, make.pypi())] == ["UNDEFINED", "LOW"]


def test_withdrawn_advisories_are_ignored(make: SimpleNamespace, found: Any) -> None:
    """A withdrawn record gives no finding."""
    records = [make.osv(withdrawn="2026-02-01T00:00:00Z"), make.osv("CVE-2026-0002", name="other")]
    assert found(records, make.pypi()) == ()


def test_two_databases_fixes_are_both_satisfied(make: SimpleNamespace, found: Any) -> None:
    """Where two records name different fixes, the later one is told."""
    later = make.osv("PYSEC-1", aliases=["CVE-2026-0001"], events=[{"introduced": "0"}, {"fixed": "2.10"}])
    (finding,) = found([make.osv(), later], make.pypi())
    assert finding.fixed_version == "2.10"


def test_an_invalid_installed_version_fails_the_scan(make: SimpleNamespace, found: Any) -> None:
    """A package that cannot be compared is named."""
    with pytest.raises(ScanFailed, match=r"thing one-two cannot be compared with 0-CVE-2026-0001\.json"):
        found([make.osv()], make.pypi(version="one-two"))


def test_two_versions_of_one_package_are_checked_each(make: SimpleNamespace, found: Any) -> None:
    """An old copy beside a repaired one is found."""
    findings = found([make.osv()], make.pypi(version="2.0"), make.pypi(version="1.0"))
    assert [finding.version for finding in findings] == ["1.0"]
