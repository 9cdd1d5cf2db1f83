"""The candidate: the candidate image, and everything learnt of it, each fact gathered once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from gate.browser import installed
from gate.browser.programs import Answer, Pin, version_in
from gate.browser.report import ProbeRun
from gate.browser.run import run_probe
from gate.engine import Engine, HistoryEntry, ImageConfig
from gate.errors import ImageUnavailable
from gate.image import python
from gate.image.base import Base
from gate.image.build import BuiltImage
from gate.image.contract import Startup
from gate.image.dockerfile import From, from_lines
from gate.image.files import closed_packages
from gate.image.layers import Layers, base_count, merged, read_layers
from gate.image.lineage import STAND_IN_LABEL
from gate.image.records import RPM_DATABASES, Records, is_record, read_records
from gate.image.requirements import Requirement, pins, read_requirements
from gate.image.tree import Tree, read_tree
from gate.once import Once
from gate.release import Release
from gate.runtime.constraints import USER
from gate.runtime.handler import run_handler
from gate.runtime.report import HandlerRun, Settings
from gate.scan.components import Watched
from gate.scan.coverage import watch
from gate.scan.sbom import Sbom, make_sbom

PYTHON_PACKAGES = "requirements.txt"
# The looks into the image that take long, the longest first; nearly each claim needs one.
_LOOKS = (
    "layers",
    "tree",
    "interpreter",
    "driver_version",
    "driver_pin",
    "chrome_version",
    "chrome_pin",
    "handler_import",
)


class Candidate:
    """One image ID, asked about in many ways.

    Args:
        built: the build of this run that made the image, or None for an image that existed.
        context: the folder of the Dockerfile and of the pins that the image is held against, or None without any.
        sboms: where SBOMs are kept between runs, by digest.
    """

    def __init__(
        self,
        engine: Engine,
        release: Release,
        base: Base,
        reference: str,
        built: BuiltImage | None,
        context: Path | None,
        sboms: Path,
    ) -> None:
        self.engine = engine
        self.release = release
        self.base_reference, self.approved_bases, self.base_provenance = base.reference, base.approved, base.provenance
        self._base = base
        self.reference = reference
        self.built = built
        self._context = context
        self._sboms = sboms
        self._stack = ExitStack()
        self._initialised = threading.Event()
        self._beside = ThreadPoolExecutor(4, thread_name_prefix="candidate")

    def gather(self, *, whole: bool = True) -> None:
        """Begin with facts that take long, side by side; whoever asks for one meanwhile waits for it.

        Args:
            whole: also what only some claims need: the sandbox and the SBOM. The handler is initialised first and
                alone: that time is held against a limit, and other work on this machine would be counted with it.
        """
        if whole:
            self._begin("handler_run")
            self._initialised.wait()
            self._begin("probe_run", *_LOOKS, "sbom")
        else:
            self._begin(*_LOOKS)

    def _begin(self, *names: str) -> None:
        for name in names:
            self._beside.submit(getattr, self, name)

    def close(self) -> None:
        """Wait for what was begun, and remove the container that was looked into."""
        self._beside.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def context(self) -> Path:
        """The folder of the Dockerfile.

        Raises:
            ImageUnavailable: only an image was given.
        """
        if self._context is None:
            raise ImageUnavailable("no Dockerfile belongs to the candidate image",
                                   remedy="name its folder with --image-context")  # fmt: skip
        return self._context

    @Once
    def image(self) -> ImageConfig:
        """The image's configuration."""
        return self.engine.image(self.reference)

    @Once
    def base(self) -> ImageConfig:
        """The approved base's configuration."""
        return self.engine.image(self._base.found)

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

    @Once
    def tree(self) -> Tree:
        """Every file of the image, read from the engine's export."""
        with self.engine.export(self.image.engine_id) as stream:
            return read_tree(stream, lambda path: is_record(path) or "chrom" in path.rpartition("/")[2])

    @Once
    def records(self) -> Records:
        """What the package managers recorded of the image's files."""
        found = read_records(self.tree.texts)
        kept = any(path in self.tree.entries for path in RPM_DATABASES)
        return found + python.rpm_records_of(self.host) if kept else found

    @Once
    def layers(self) -> Layers:
        """Each layer as it is pushed, read from the engine's archive."""
        with self.engine.saved(self.image.engine_id) as stream:
            stream.peek(1)  # the engine puts the archive together first; the records are read meanwhile
            return read_layers(stream, len(self.image.layers), self.records)

    @Once
    def base_digests(self) -> dict[str, str]:
        """The digest of each file of the base, by its path."""
        return {
            path: file.digest for path, file in merged(self.layers.layers[: self.base_layers]).items() if file.digest
        }

    @property
    def base_layers(self) -> int:
        """How many of the layers are the base's: the lowest ones."""
        return base_count(self.image.layers, self.base.layers)

    @Once
    def host(self) -> Any:
        """Testinfra's host: a container of the image that only sleeps, asked as the user that Lambda runs as."""
        from gate.engine.host import host_of

        container = self._stack.enter_context(self.engine.inspection(self.image.engine_id))
        return host_of(f"{USER}@{container}", self.engine.timeout)

    @Once
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements of the release, whatever Python they are for."""
        path = self.context / PYTHON_PACKAGES
        if not path.is_file():
            raise ImageUnavailable(
                f"no {PYTHON_PACKAGES} says which Python packages the image should hold",
                where=str(self.context),
                remedy="put it beside the Dockerfile, every package pinned; an image without any has an empty one",
            )
        return read_requirements(path)

    @Once
    def pins(self) -> dict[str, str]:
        """The pinned version of each package that the release requires of the image's own Python."""
        return pins(self.requirements, python.marker_environment(self.host))

    @Once
    def interpreter(self) -> python.Interpreter:
        """The image's Python and its packages, as the user that Lambda runs as finds them."""
        found = python.inspect_python(self.host, list(self.pins) if self._context else [], self.release.task_root)
        return replace(found, packages=replace(found.packages, closed=closed_packages(self.tree)))

    @Once
    def handler_import(self) -> python.HandlerImport:
        """What importing the agreed handler came to."""
        return python.import_handler(self.host, self.release.handler, self.release.task_root)

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile of the release."""
        return self.context / "Dockerfile"

    @Once
    def from_lines(self) -> tuple[From, ...]:
        """Every FROM of the Dockerfile, its arguments filled in."""
        return from_lines(self.dockerfile, {"BASE_IMAGE": self.base_reference}, self.release.platform)

    @Once
    def chrome_version(self) -> Answer:
        """What Chrome says its version is."""
        return installed.version(self.host, self.image.env.get("CHROME_BIN", ""))

    @Once
    def driver_version(self) -> Answer:
        """What Chromedriver says its version is."""
        return installed.version(self.host, self.image.env.get("CHROMEDRIVER_BIN", ""))

    @Once
    def chrome_pin(self) -> Pin:
        """The version that Chrome should have."""
        return installed.pin(self.host, "chromium", self._chrome_lock)

    @Once
    def driver_pin(self) -> Pin:
        """The version that Chromedriver should have."""
        return installed.pin(self.host, "chromium-driver", self._chrome_lock)

    @property
    def _chrome_lock(self) -> Path | None:
        lock = self.context / "chrome.lock"
        return lock if lock.is_file() and not self.image.labels.get(STAND_IN_LABEL) else None

    def libraries(self, variable: str) -> Answer:
        """What the dynamic loader says of the program behind a variable."""
        return installed.libraries(self.host, self.tree, variable, self.image.env.get(variable, ""))

    @Once
    def handler_run(self) -> HandlerRun:
        """The image's own handler, as Lambda runs it."""
        try:
            return run_handler(
                self.engine,
                self.image.engine_id,
                self._settings,
                event=self.release.event,
                initialised=self._initialised.set,
            )
        finally:
            self._initialised.set()  # also when the sandbox failed: nobody waits for ever

    @Once
    def probe_run(self) -> ProbeRun:
        """Our page in the image's Chrome, as Lambda runs it."""
        return run_probe(self.engine, self.image.engine_id, self._settings)

    @property
    def _settings(self) -> Settings:
        release = self.release
        return Settings(release.memory_mb, release.function_name, release.region, release.task_root)

    @Once
    def sbom(self) -> Sbom:
        """What the image consists of; kept by the image's ID between runs."""
        return make_sbom(f"docker:{self.image.engine_id}", self.image.image_id, self._sboms)

    @Once
    def watched(self) -> tuple[Watched, ...]:
        """The components that a scan must cover, or the register name."""
        return watch(
            self.release.python_version,
            self.pins,
            chrome=version_in(self.chrome_version.text),
            chromedriver=version_in(self.driver_version.text),
            python_full=self.interpreter.version,
        )


def _startup(image: ImageConfig) -> Startup:
    return Startup(image.env, image.entrypoint, image.workdir, image.cmd)
