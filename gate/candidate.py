"""The candidate: the image under judgement, and everything learnt of it, each fact gathered once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gate.engine import Engine, HistoryEntry, ImageConfig
from gate.errors import ImageUnavailable
from gate.image import python
from gate.image.build import BuiltImage
from gate.image.contract import Startup
from gate.image.dockerfile import From, from_lines
from gate.image.packages import pins
from gate.image.secrets import wanted_text
from gate.image.tree import Tree, read_tree
from gate.release import Release

PYTHON_PACKAGES = "requirements.txt"


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


class Candidate:
    """One image ID, asked about in many ways.

    Args:
        built: the build that made the image, or None for an image that existed.
        context: the folder of its Dockerfile, or None when only an image was given.
    """

    def __init__(
        self,
        engine: Engine,
        release: Release,
        base: Base,
        reference: str,
        built: BuiltImage | None,
        context: Path | None,
    ) -> None:
        self.engine = engine
        self.release = release
        self.base_reference, self.approved_bases, self.base_provenance = base.reference, base.approved, base.provenance
        self.reference = reference
        self._built = built
        self._context = context
        self._stack = ExitStack()

    def close(self) -> None:
        """Remove the container that was looked into."""
        self._stack.close()

    @property
    def built(self) -> BuiltImage:
        """The build that left this image.

        Raises:
            ImageUnavailable: the image was not built in this run.
        """
        if self._built is None:
            raise ImageUnavailable("the image was not built in this run, so nothing shows that its Dockerfile makes it")
        return self._built

    @property
    def context(self) -> Path:
        """The folder of the Dockerfile.

        Raises:
            ImageUnavailable: only an image was given.
        """
        if self._context is None:
            raise ImageUnavailable("no Dockerfile belongs to the image under judgement",
                                   remedy="name its folder with --image-context")  # fmt: skip
        return self._context

    @cached_property
    def image(self) -> ImageConfig:
        """The image's configuration."""
        return self.engine.image(self.reference)

    @cached_property
    def base(self) -> ImageConfig:
        """The approved base's configuration."""
        return self.engine.image(self.base_reference)

    @property
    def layer_costs(self) -> tuple[HistoryEntry, ...]:
        """What each instruction added, in bytes."""
        return self.image.layer_costs

    @property
    def history(self) -> tuple[str, ...]:
        """Every instruction of the build, as the image records it."""
        return tuple(entry.instruction for entry in self.image.history)

    @property
    def browser_paths(self) -> dict[str, str]:
        """The agreed path of each browser variable."""
        return {"CHROME_BIN": self.release.chrome_bin, "CHROMEDRIVER_BIN": self.release.chromedriver_bin}

    @property
    def startup(self) -> Startup:
        """How the image starts."""
        return _startup(self.image)

    @property
    def base_startup(self) -> Startup:
        """How the base starts."""
        return _startup(self.base)

    @cached_property
    def tree(self) -> Tree:
        """Every file of the image, read from the engine's export."""
        with self.engine.export(self.image.image_id) as stream:
            return read_tree(stream, lambda path: wanted_text(path) or "chrom" in path.rpartition("/")[2])

    @cached_property
    def host(self) -> Any:
        """Testinfra's host: a container of the image that only sleeps."""
        import testinfra

        container = self._stack.enter_context(self.engine.inspection(self.image.image_id))
        return testinfra.get_host(f"docker://{container}")

    @cached_property
    def pins(self) -> dict[str, str]:
        """The pinned requirements of the release."""
        path = self.context / PYTHON_PACKAGES
        if not path.is_file():
            raise ImageUnavailable(f"there is no {PYTHON_PACKAGES} to hold the image against", where=str(self.context))
        return pins(path.read_text(), str(path))

    @cached_property
    def interpreter(self) -> python.Interpreter:
        """The image's Python and its packages."""
        return python.inspect_python(self.host, list(self.pins) if self._context else [])

    @cached_property
    def handler_import(self) -> python.HandlerImport:
        """What importing the agreed handler came to."""
        return python.import_handler(self.host, self.release.handler, self.release.task_root)

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile of the release."""
        return self.context / "Dockerfile"

    @cached_property
    def from_lines(self) -> tuple[From, ...]:
        """Every FROM of the Dockerfile, its arguments filled in."""
        return from_lines(self.dockerfile, {"BASE_IMAGE": self.base_reference})


def _startup(image: ImageConfig) -> Startup:
    return Startup(image.env, image.entrypoint, image.workdir, image.cmd)


Progress = Callable[[str], None]
