"""The approved base as a target has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Base:
    """The approved base as this target has it.

    Attributes:
        reference: the local image that the candidate must descend from.
        approved: the names that a FROM may carry.
        provenance: "real", or "simulated" where a stand-in takes its place.
    """

    reference: str
    approved: tuple[str, ...]
    provenance: str
