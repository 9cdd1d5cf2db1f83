"""Whole exports of advisories: all are read, and memory is kept for those alone that concern the image."""

import json
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from localaws.scanner.database import read_advisories
from localaws.scanner.scanner import findings_in

pytestmark = pytest.mark.slow

ADVISORIES = 10_000
DETAILS = "What it is about, at the length that such a text usually has. " * 20


def export(path: Path, make: SimpleNamespace) -> Path:
    """An archive as OSV exports it, of Debian and PyPI together, about 1,000 packages."""
    record = json.dumps(make.osv("CVE-2026-NUMBER", "HOME", "PACKAGE", details=DETAILS))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(ADVISORIES):
            home = "Debian:12" if number % 2 else "PyPI"
            one = record.replace("NUMBER", f"{number:06}").replace("HOME", home)
            archive.writestr(f"CVE-{number}.json", one.replace("PACKAGE", f"package-{number % 1000}"))
    return path


def test_ten_thousand_advisories_are_read(make: SimpleNamespace, tmp_path: Path) -> None:
    """300 installed packages against a full export."""
    source = export(tmp_path / "all.zip", make)
    installed = [make.deb(f"package-{number}", "1.0-1") for number in range(1, 601, 2)] + [make.pypi("package-0")]
    database = read_advisories([source], installed)
    found = findings_in(installed, database)
    assert (database.count, len(found)) == (ADVISORIES, 301 * 10)


def test_what_does_not_concern_the_image_is_not_kept(make: SimpleNamespace, tmp_path: Path) -> None:
    """Three thousand long advisories about other packages take less than 3 MB."""
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3_000):
            archive.writestr(f"{number}.json", json.dumps(make.osv(f"GHSA-{number}", details=DETAILS)))
    tracemalloc.start()
    database = read_advisories([path], [make.pypi("other")])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert database.count == 3_000
    assert peak < 3_000_000
