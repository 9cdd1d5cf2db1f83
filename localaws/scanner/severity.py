"""Severity from CVSS vectors. Pure.

Thresholds: the qualitative rating scale of CVSS v3.1 and v4.0 (FIRST specifications, "Qualitative Severity Rating
Scale"), which NVD and ECR use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cvss import CVSS3, CVSS4
from cvss.exceptions import CVSSError

UNDEFINED = "UNDEFINED"
_SCALE = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"), (0.0, "INFORMATIONAL"))
_CALCULATORS = {"CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
_WORDS = {"MODERATE": "MEDIUM", "LOW": "LOW", "MEDIUM": "MEDIUM", "HIGH": "HIGH", "CRITICAL": "CRITICAL"}


@dataclass(frozen=True)
class Rating:
    """The rating of a vulnerability.

    Attributes:
        severity: ECR's severity; UNDEFINED if it is not rated.
        score: the CVSS base score, None without a vector.
        vector: the vector of the score.
    """

    severity: str = UNDEFINED
    score: float | None = None
    vector: str = ""


UNRATED = Rating()


def rated(vectors: Iterable[tuple[str, str]], word: str = "") -> Rating:
    """The worst rating of OSV's vectors (type, score); without any, the database's own severity.

    Raises:
        ValueError: a CVSS vector that cannot be read.
    """
    ratings = [_rating(kind, vector) for kind, vector in vectors if kind in _CALCULATORS]
    return worst(ratings) if ratings else Rating(_WORDS.get(word.upper(), UNDEFINED))


def worst(ratings: Iterable[Rating]) -> Rating:
    """The worst of several ratings of one vulnerability; UNDEFINED only where all are."""
    order = [UNDEFINED, *(word for _, word in reversed(_SCALE))]
    return max(ratings, key=lambda rating: (order.index(rating.severity), rating.score or 0.0), default=UNRATED)


@lru_cache(maxsize=100_000)
def _rating(kind: str, vector: str) -> Rating:
    try:
        score = float(_CALCULATORS[kind](vector).base_score)
    except (CVSSError, AttributeError, TypeError) as broken:
        raise ValueError(f"{vector!r} is not a {kind} vector: {broken}") from broken
    return Rating(next(word for least, word in _SCALE if score >= least), score, vector)
