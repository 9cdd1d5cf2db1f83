"""Whatever ECR or Inspector answers is read, or refused in a sentence: never a crash, and no finding is made of it."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gate.errors import GateError
from gate.scan.inspector import read_coverage
from gate.scan.pages import read_pages
from gate.scan.scan_request import request_scan
from gate.scan.settings import read_settings
from gate.scan.statuses import Mode

from .conftest import DIGEST, NOON

# The names that the readers look for, so that drawn values get where a real answer has something else.
NAMES = (
    "imageScanStatus", "imageScanFindings", "findings", "enhancedFindings", "findingSeverityCounts", "imageId",
    "imageDigest", "status", "description", "name", "severity", "attributes", "key", "value", "score", "uri",
    "packageVulnerabilityDetails", "vulnerablePackages", "version", "epoch", "release", "fixedInVersion",
    "vulnerabilityId", "scanningConfiguration", "scanType", "scanningConfigurations", "repositoryName", "failures",
    "failureCode", "appliedScanFilters", "filter", "coveredResources", "resourceId", "scanStatus", "statusCode",
)  # fmt: skip
TEXTS = st.sampled_from(["", "COMPLETE", "ACTIVE", "BASIC", "repo", DIGEST, "\x1b[2J\u202e", "NaN", "-1"]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
ANSWERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)


class Answering:
    """Answers every question with the same; a member that a whole answer needs is always there."""

    def __init__(self, answer: dict[str, Any], otherwise: Any) -> None:
        self._answer, self._otherwise = answer, otherwise

    def ask(self, _operation: str, *, needs: str, **_: Any) -> dict[str, Any]:
        """The answer."""
        return {needs: self._otherwise, **self._answer}


@given(ANSWERS, VALUES)
def test_any_page_of_findings_is_read_or_refused(answer, otherwise) -> None:
    """What was read is visible text and counts every entry of either list."""
    with contextlib.suppress(GateError):
        reading = read_pages(Answering(answer, otherwise), "repo", DIGEST, Mode.BASIC, NOON)
        for finding in reading.findings:
            assert (finding.id + finding.package + finding.severity + finding.title + finding.uri).isprintable()
            assert finding.score is None or 0 <= finding.score <= 10
        held = answer.get("imageScanFindings") or {}
        entries = len(held.get("findings") or []) + len(held.get("enhancedFindings") or [])
        assert len({finding.entry for finding in reading.findings}) == entries


@given(ANSWERS, VALUES)
def test_any_scanning_configuration_is_read_or_refused(answer, otherwise) -> None:
    """A kind of scanning that the gate does not know is never taken for one that it knows."""
    with contextlib.suppress(GateError):
        assert read_settings(Answering(answer, otherwise), "repo").mode in set(Mode)


@given(ANSWERS, VALUES)
def test_any_coverage_is_read_or_refused(answer, otherwise) -> None:
    """An image is covered only where its digest is listed."""
    with contextlib.suppress(GateError):
        covered = read_coverage(Answering(answer, otherwise), "repo", DIGEST)
        assert not covered.listed or DIGEST in str(answer) + str(otherwise)


@given(ANSWERS, VALUES)
def test_any_answer_to_a_start_is_read_or_refused(answer, otherwise) -> None:
    """Nothing that ECR answers to StartImageScan is a crash."""
    with contextlib.suppress(GateError):
        request_scan(Answering(answer, otherwise), "repo", DIGEST)
