"""Images that Docker built and pushed, scanned out of the local target's own registry."""

import io
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from localaws.ecr.blobs import Blobs
from localaws.ecr.findings import PackageVulnerability
from localaws.ecr.manifest import DOCKER
from localaws.ecr.scanning import ImageSource
from localaws.registry.container import Registry
from localaws.scanner.scanner import LocalScanner

pytestmark = pytest.mark.docker

BASE = "debian:bookworm-slim"
VOLUME = "release-gate-test-scanner-blobs"
Scan = Callable[[str], tuple[PackageVulnerability, ...]]


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    """The Docker engine."""
    client = docker.from_env(timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="module")
def scan(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scan]:
    """Builds a Dockerfile, pushes the image to a registry of its own and scans it there."""
    registry, images = Registry(engine, VOLUME), []
    scanner = LocalScanner(tmp_path_factory.mktemp("packages"))
    registry.start()

    def build_push_scan(dockerfile: str) -> tuple[PackageVulnerability, ...]:
        name, tag = f"{registry.host}/scanned", f"v{len(images)}"
        engine.images.build(fileobj=_context(dockerfile), custom_context=True, tag=f"{name}:{tag}", rm=True)
        images.append(f"{name}:{tag}")
        engine.images.push(name, tag)
        with Blobs(registry.host).request("HEAD", f"/v2/scanned/manifests/{tag}", {"Accept": DOCKER}) as response:
            digest = response.headers["Docker-Content-Digest"]
        return scanner.scan("scanned", digest, ImageSource(registry.host, "scanned", digest)).findings

    yield build_push_scan
    for image in images:
        engine.images.remove(image, force=True)
    registry.stop()
    engine.volumes.get(VOLUME).remove(force=True)


def _context(dockerfile: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile.encode()))
    packed.seek(0)
    return packed


def test_current_bookworm_has_nothing_critical_or_high(scan: Scan) -> None:
    """Debian's current packages have no finding above MEDIUM, and some that Debian does not fix."""
    severities = {finding.severity for finding in scan(f"FROM {BASE}\nLABEL scanned=1\n")}
    assert severities
    assert severities <= {"LOW", "MEDIUM"}


def test_an_old_pyyaml_and_an_old_libwebp_are_critical(scan: Scan, make: Any) -> None:
    """One thin layer with PyYAML 5.3.1's metadata and dpkg's entry of libwebp6 0.6.1-2 gives their CRITICALs."""
    folder = "/var/task/PyYAML-5.3.1.dist-info"
    metadata = f"printf 'Metadata-Version: 2.1\\nName: PyYAML\\nVersion: 5.3.1\\n' > {folder}/METADATA"
    entry = make.stanza("libwebp6", "0.6.1-2", "libwebp").replace("\n", "\\n")
    steps = [f"mkdir -p {folder}", metadata, f"printf '{entry}' >> /var/lib/dpkg/status"]
    findings = scan(f"FROM {BASE}\nRUN {' && '.join(steps)}\n")
    critical = {finding.id for finding in findings if finding.severity == "CRITICAL"}
    assert critical == {"CVE-2020-14343", "CVE-2018-25011", "CVE-2020-36329"}
