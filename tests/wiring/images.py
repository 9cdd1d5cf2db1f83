"""Images with several faults each: thin layers on the good image, or one file for another platform."""

from __future__ import annotations

from contextlib import suppress

import docker
from docker.errors import ImageNotFound

from gate.engine import owner_label
from tests.faults.layers import context, load_bare
from tests.wiring.table import images

GOOD = "naver-sms-automation:latest"
BARE = "bare"


class Images:
    """Makes the images that the rehearsals ask for, each once, and removes them."""

    def __init__(self) -> None:
        self._client = docker.from_env()
        # Read once: others build an image of this name meanwhile.
        self._made = {"good": str(self._client.images.get(GOOD).id)}
        self._own: list[str] = []

    def __getitem__(self, name: str) -> str:
        """The ID of the image of this name."""
        if name not in self._made:
            self._made[name] = load_bare(self._client, "linux/arm64") if name == BARE else self._built(name)
            self._own.append(self._made[name])
        return self._made[name]

    def close(self) -> None:
        """Remove what was made here."""
        for image in dict.fromkeys(self._own):
            # The fault catalogue makes some of the same images, and in the same process it has removed them.
            with suppress(ImageNotFound):
                self._client.images.remove(image, force=True)
        self._client.close()

    def _built(self, name: str) -> str:
        dockerfile = f"FROM {self._made['good']}\n{images()[name]}"
        image, _ = self._client.images.build(
            fileobj=context(dockerfile), custom_context=True, labels=owner_label(), rm=True, forcerm=True
        )
        return str(image.id)
