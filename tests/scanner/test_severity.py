"""CVSS vectors become ECR's severities."""

import pytest
from cvss import CVSS3
from hypothesis import given
from hypothesis import strategies as st

from localaws.scanner.severity import Rating, rated, worst

V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@pytest.mark.parametrize(
    ("kind", "vector", "severity", "score"),
    [
        ("CVSS_V3", V3, "CRITICAL", 9.8),
        ("CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "HIGH", 8.8),
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H", "CRITICAL", 9.1),
        ("CVSS_V3", "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N", "MEDIUM", 5.6),
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", "LOW", 3.7),
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "INFORMATIONAL", 0.0),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "CRITICAL", 9.3),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N", "HIGH", 8.7),
    ],
)
def test_a_vector_is_rated_on_its_own_scale(kind: str, vector: str, severity: str, score: float) -> None:
    """v3 and v4 are CRITICAL from 9.0 on."""
    assert rated([(kind, vector)]) == Rating(severity, score, vector)


def test_the_worst_vector_counts() -> None:
    """Of a v3 and a v4 vector the higher score decides."""
    low = "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
    assert rated([("CVSS_V4", low), ("CVSS_V3", V3)]).severity == "CRITICAL"


def test_without_a_rating_the_severity_is_undefined() -> None:
    """The gate counts UNDEFINED as the worst."""
    assert rated([]).severity == "UNDEFINED"
    assert rated([("Ubuntu", "negligible"), ("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C")], "other").severity == "UNDEFINED"


def test_the_databases_own_severity_counts_without_a_vector() -> None:
    """GitHub's MODERATE is ECR's MEDIUM."""
    assert rated([], "moderate").severity == "MEDIUM"


def test_a_known_rating_outranks_an_unknown_one() -> None:
    """UNDEFINED is the worst of several ratings only when all are."""
    assert worst([Rating(), rated([("CVSS_V3", V3)])]).severity == "CRITICAL"
    assert worst([]).severity == "UNDEFINED"


@given(st.sampled_from(["CVSS_V3", "CVSS_V4"]), st.text(max_size=60))
def test_any_other_text_is_refused(kind: str, text: str) -> None:
    """A vector that cannot be read is an error, never a low score."""
    with pytest.raises(ValueError, match="vector"):
        rated([(kind, text)])


@given(st.tuples(*(st.sampled_from(each) for each in ("NALP", "LH", "NLH", "NR", "UC", "HLN", "HLN", "HLN"))))
def test_the_scale_has_no_gaps(values: tuple[str, ...]) -> None:
    """Every CVSS v3.1 vector gets the word that the calculator itself gives."""
    metrics = zip(("AV", "AC", "PR", "UI", "S", "C", "I", "A"), values, strict=True)
    vector = "CVSS:3.1/" + "/".join(f"{metric}:{value}" for metric, value in metrics)
    word = CVSS3(vector).severities()[0].upper()
    assert rated([("CVSS_V3", vector)]).severity == ("INFORMATIONAL" if word == "NONE" else word)
