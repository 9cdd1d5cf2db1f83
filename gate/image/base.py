"""The approved base as a target has it."""

from __future__ import annotations

from dataclasses import dataclass

from gate.errors import GateError


@dataclass(frozen=True)
class Base:
    """The approved base as this target has it.

    Attributes:
        reference: the name that a build is given: with a digest, or a tag made of the image ID, which nobody moves.
        approved: the names that a FROM may carry.
        provenance: "real", or "simulated" where a stand-in takes its place.
        image_id: the image that the candidate must descend from, by the ID that its build or pull left.
        missing: why it could not be had; only what is held against it falls with it.
    """

    reference: str
    approved: tuple[str, ...]
    provenance: str
    image_id: str = ""
    missing: GateError | None = None

    @property
    def found(self) -> str:
        """The image ID.

        Raises:
            GateError: it could not be had.
        """
        if self.missing is not None:
            raise self.missing
        return self.image_id or self.reference
