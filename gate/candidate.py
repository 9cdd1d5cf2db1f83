"""The candidate image, and the facts about it, each gathered once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gate.browser import versions_and_libraries as programs
from gate.browser.page import SAMPLE
from gate.browser.page_checks import ProbeRun
from gate.browser.run import run_probe
from gate.browser.versions_and_libraries import CommandOutput, ExpectedVersion
from gate.cached_property import CachedProperty
from gate.engine import Engine, InspectedImage
from gate.errors import ImageUnavailable
from gate.image import python
from gate.image.archive import ImageArchive, read_image
from gate.image.base import STAND_IN_LABEL, Base
from gate.image.build import BuiltImage
from gate.image.dockerfile import From, from_lines
from gate.image.layer_files import LayerFolder
from gate.image.layers import Layers, base_count
from gate.image.package_records import RPM_DATABASES, PackageRecords, read_records
from gate.image.permissions import closed_packages
from gate.image.requirements import pins, read_requirements
from gate.image.tree import Tree
from gate.release import Release
from gate.runtime.constraints import USER
from gate.runtime.handler import run_handler
from gate.runtime.report import HandlerRun, Settings
from gate.scan.components import RequiredComponent
from gate.scan.coverage import required_components
from gate.scan.sbom import Sbom, make_sbom

# The facts that take long, the longest first; nearly every scenario needs one of them. Those about a part that is no
# part of the release are not gathered.
_SLOW_FACTS = ("layers", "interpreter", "driver_version", "driver_pin", "chrome_version", "chrome_pin",
               "handler_import")  # fmt: skip
_NEEDED_FOR = {
    **dict.fromkeys(("probe_run", "driver_version", "driver_pin"), "driver"),
    **dict.fromkeys(("chrome_version", "chrome_pin"), "browser"),
    **dict.fromkeys(("interpreter", "handler_import"), "python"),
}


class Candidate:
    """The facts about one image ID.

    Args:
        built: the build of this run that made the image, or None for an existing image.
        context: the folder of the Dockerfile and requirements.txt, or None.
        cache: the folder in which layers and SBOMs are kept between runs.
    """

    def __init__(
        self,
        engine: Engine,
        release: Release,
        base: Base,
        reference: str,
        built: BuiltImage | None,
        context: Path | None,
        cache: Path,
    ) -> None:
        self.engine, self.release, self.reference, self.built = engine, release, reference, built
        self.base_reference, self.approved_bases, self.base_provenance = base.reference, base.approved, base.provenance
        self._base, self._context, self._cache = base, context, cache
        self._settings = Settings(release.memory_mb, release.function_name, release.region, release.task_root,
                                  base.helper)  # fmt: skip
        self._stack = ExitStack()
        self._initialised = threading.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="candidate")

    def prefetch(self, *, whole: bool = True) -> None:
        """Begin to gather the slow facts in parallel; whoever asks for one meanwhile waits for it.

        Args:
            whole: also the sandbox runs and the SBOM, which few scenarios need. The handler is initialised first and
                alone: a limit applies to the duration, and other work would lengthen it.
        """
        facts: tuple[str, ...] = _SLOW_FACTS
        if whole:
            self._threads.submit(getattr, self, "handler_run")
            self._initialised.wait()
            facts = ("probe_run", *_SLOW_FACTS, "sbom")
        for name in facts:
            if _NEEDED_FOR.get(name) not in self.release.absent_parts:
                self._threads.submit(getattr, self, name)

    def close(self) -> None:
        """Wait for the facts that were begun, and remove the inspected container."""
        self._threads.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def context(self) -> Path:
        """The folder of the Dockerfile; ImageUnavailable is raised where only an image was given."""
        if self._context is None:
            raise ImageUnavailable("no Dockerfile belongs to the candidate image",
                                   remedy="name its folder with --image-context")  # fmt: skip
        return self._context

    @CachedProperty
    def image(self) -> InspectedImage:
        """The image's configuration."""
        return self.engine.image(self.reference)

    @CachedProperty
    def base(self) -> InspectedImage:
        """The approved base's configuration."""
        return self.engine.image(self._base.found)

    @property
    def browser_paths(self) -> dict[str, str]:
        """The agreed path of each browser variable."""
        return {"CHROME_BIN": self.release.chrome_bin, "CHROMEDRIVER_BIN": self.release.chromedriver_bin}

    @CachedProperty
    def archive(self) -> ImageArchive:
        """The image as it is pushed, on this machine's disk."""
        image, folder = self.image, self._stack.enter_context(closing(LayerFolder(self._cache / "layers")))
        return read_image(image.layers, folder, partial(self.engine.saved, image.engine_id), is_named_like_chrome)

    @CachedProperty
    def tree(self) -> Tree:
        """The file tree of the image."""
        return self.archive.tree()

    @CachedProperty
    def records(self) -> PackageRecords:
        """The package managers' records of the image's files."""
        found, has_rpm = read_records(self.tree.texts), any(path in self.tree.entries for path in RPM_DATABASES)
        return found + python.rpm_records_of(self.host) if has_rpm else found

    @CachedProperty
    def layers(self) -> Layers:
        """The layers as they are pushed, searched."""
        return self.archive.search(self.records, self.base_layers)

    @property
    def base_layers(self) -> int:
        """How many of the layers, the lowest ones, are the base's."""
        return base_count(self.image.layers, self.base.layers)

    @CachedProperty
    def host(self) -> Any:
        """Testinfra's host: an idle container of the image, entered as the user that Lambda runs as."""
        from gate.engine.host import host_of

        container = self._stack.enter_context(self.engine.inspection(self.image.engine_id))
        return host_of(f"{USER}@{container}", self.engine.timeout)

    @CachedProperty
    def pins(self) -> dict[str, str]:
        """The version at which requirements.txt pins each package for the image's own Python, by canonical name."""
        return pins(read_requirements(self.context / "requirements.txt"), python.marker_environment(self.host))

    @CachedProperty
    def interpreter(self) -> python.Interpreter:
        """The image's Python and its packages, as seen by the user that Lambda runs as."""
        found = python.inspect_python(self.host, list(self.pins) if self._context else [], self.release.task_root)
        return replace(found, packages=replace(found.packages, closed=closed_packages(self.tree)))

    @CachedProperty
    def handler_import(self) -> python.HandlerImport:
        """The result of importing the agreed handler."""
        return python.import_handler(self.host, self.release.handler, self.release.task_root)

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile of the release."""
        return self.context / "Dockerfile"

    @CachedProperty
    def from_lines(self) -> tuple[From, ...]:
        """The images that the Dockerfile names, its arguments substituted."""
        return from_lines(self.dockerfile, {"BASE_IMAGE": self.base_reference}, self.release.platform)

    @CachedProperty
    def chrome_version(self) -> CommandOutput:
        """Chrome's answer to --version."""
        return programs.program_version(self.host, self.image.env.get("CHROME_BIN", ""))

    @CachedProperty
    def driver_version(self) -> CommandOutput:
        """Chromedriver's answer to --version."""
        return programs.program_version(self.host, self.image.env.get("CHROMEDRIVER_BIN", ""))

    @CachedProperty
    def chrome_pin(self) -> ExpectedVersion:
        """The pinned version of Chrome."""
        return programs.expected_version(self.host, "chromium", self._chrome_lock)

    @CachedProperty
    def driver_pin(self) -> ExpectedVersion:
        """The pinned version of Chromedriver."""
        return programs.expected_version(self.host, "chromium-driver", self._chrome_lock)

    @property
    def _chrome_lock(self) -> Path | None:
        lock = self.context / "chrome.lock"
        return lock if lock.is_file() and not self.image.labels.get(STAND_IN_LABEL) else None

    def libraries(self, variable: str) -> CommandOutput:
        """The dynamic loader's answer about the program that a variable names."""
        return programs.shared_libraries(self.host, self.tree, variable, self.image.env.get(variable, ""))

    @CachedProperty
    def handler_run(self) -> HandlerRun:
        """The invocations of the image's handler in Lambda's sandbox."""
        try:
            image, event, initialised = self.image.engine_id, self.release.event, self._initialised.set
            return run_handler(self.engine, image, self._settings, event=event, initialised=initialised)
        finally:
            self._initialised.set()  # also when the sandbox failed, so that `prefetch` goes on

    @CachedProperty
    def probe_run(self) -> ProbeRun:
        """The test page in the image's Chrome, in Lambda's sandbox."""
        image, release = self.image.engine_id, self.release
        sample, language = release.drawn_text or SAMPLE, release.drawn_language or "ko"
        return run_probe(self.engine, image, self._settings, sample=sample, language=language)

    @CachedProperty
    def sbom(self) -> Sbom:
        """The SBOM of the image, kept between runs by image ID."""
        return make_sbom(f"docker:{self.image.engine_id}", self.image.image_id, self._cache / "sbom")

    @CachedProperty
    def required_components(self) -> tuple[RequiredComponent, ...]:
        """The components that a scan has to cover, or the exception register has to name."""
        chrome = programs.version_in(self.chrome_version.text) if self.release.chrome_bin else None
        chromedriver = programs.version_in(self.driver_version.text) if self.release.chromedriver_bin else None
        if not self.release.python_version:
            return required_components(None, {}, chrome=chrome, chromedriver=chromedriver)
        # The Python that is in the image: whether it is the agreed one is a scenario of its own.
        version = self.interpreter.version
        found = ".".join(version.split(".")[:2]) or self.release.python_version
        return required_components(found, self.pins, chrome=chrome, chromedriver=chromedriver, python_full=version)


def is_named_like_chrome(path: str) -> bool:
    """Whether a file may be Chrome's or Chromedriver's start script, whose text is kept."""
    return "chrom" in path.rpartition("/")[2]
