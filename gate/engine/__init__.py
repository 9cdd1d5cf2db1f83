"""The Docker engine: reached over DOCKER_HOST or the local socket, local or remote.

Everything that the gate starts through it carries an owner, so that what a killed run left behind is removed by the
next one and nobody else's containers are touched.
"""

from gate.engine.client import SILENCE, Engine, asking, connect
from gate.engine.image import HistoryEntry, ImageConfig
from gate.engine.owner import OWNER, owner_label

__all__ = ["OWNER", "SILENCE", "Engine", "HistoryEntry", "ImageConfig", "asking", "connect", "owner_label"]
