"""Scanners with a known outcome, for the gateway's child process (`LocalTarget(scanner="module:function")`)."""

from __future__ import annotations

import time

from localaws.ecr.findings import PackageVulnerability, ScannerResult
from localaws.ecr.scanning import ImageSource

ADVISORIES_AT = 1_700_000_000.0


class SlowScanner:
    """Takes a moment, reads the image, and finds one vulnerability."""

    def scan(self, repository: str, digest: str, fetch: ImageSource) -> ScannerResult:
        """Find it, after a moment."""
        time.sleep(0.3)
        assert b"config" in fetch.manifest()
        finding = PackageVulnerability("CVE-2023-4863", "CRITICAL", "libwebp", "1.0", fixed_version="1.3.2", score=8.8)
        return ScannerResult((finding,), ADVISORIES_AT, "a rehearsal's finding")


def slow() -> SlowScanner:
    """The scanner of the tests' target."""
    return SlowScanner()
