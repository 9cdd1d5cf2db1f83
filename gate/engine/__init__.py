"""The Docker engine: reached over DOCKER_HOST or the local socket, local or remote.

Everything that the gate starts through it carries its owner as a label, so that the next run removes what a killed run
left behind and touches nobody else's containers.
"""

from gate.engine.client import Engine, connect
from gate.engine.image import InspectedImage
from gate.engine.leftovers import OWNER, owner_label
from gate.engine.saved_image import HistoryEntry
from gate.engine.transport import CONNECTION_ERRORS, engine_errors

__all__ = [
    "CONNECTION_ERRORS",
    "OWNER",
    "Engine",
    "HistoryEntry",
    "InspectedImage",
    "connect",
    "engine_errors",
    "owner_label",
]
