"""Whole scans of images from a registry, against the advisories that ship with the project."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localaws.ecr.findings import ScannerResult
from localaws.ecr.scanning import ImageSource
from localaws.scanner import SHIPPED, ScanFailed
from localaws.scanner.package_files import package_files
from localaws.scanner.packages import packages_of
from localaws.scanner.scanner import LocalScanner

pytestmark = pytest.mark.slow

STATUS = "var/lib/dpkg/status"
CATALOGERS = ("dpkg-db-cataloger", "rpm-db-cataloger", "apk-db-cataloger", "python-installed-package-cataloger")


def base(make: SimpleNamespace, **more: str | None) -> bytes:
    """A layer with Debian's files, in which nothing is vulnerable."""
    status = make.stanza("libwebp7", "1.2.4-0.2+deb12u1", "libwebp")
    return make.layer({"etc/os-release": make.debian_12, STATUS: status, "usr/bin/big": "x" * 100_000, **more})


def scan(source: ImageSource, cache: Path, *advisories: Path) -> ScannerResult:
    """What the local scanner finds."""
    return LocalScanner(cache, advisories or (SHIPPED,)).scan("image", source.digest, source)


def test_a_current_image_is_clean_and_says_that_it_is_simulated(make: Any, registry: Any, tmp_path: Path) -> None:
    """Zero findings come with what was looked at, how old the data is, and the word "simulated"."""
    found = scan(registry.push(base(make), make.layer(make.dist_info("PyYAML", "6.0.2"))), tmp_path)
    assert found.findings == ()
    assert found.description.startswith(
        "Simulated scan, not Amazon ECR's: 1 packages of Debian:12 and 1 packages of PyPI"
    )
    assert found.advisories_at > 1_790_000_000


def test_an_old_pyyaml_is_critical(make: Any, registry: Any, tmp_path: Path) -> None:
    """PyYAML 5.3.1 in a later layer is CVE-2020-14343."""
    found = scan(registry.push(base(make), make.layer(make.dist_info("PyYAML", "5.3.1"))), tmp_path)
    (finding,) = found.findings
    assert (finding.id, finding.severity, finding.package) == ("CVE-2020-14343", "CRITICAL", "pyyaml")
    assert (finding.fixed_version, finding.path) == ("5.4", "/var/task/PyYAML-5.3.1.dist-info/METADATA")


def test_a_vulnerable_libwebp_is_found_under_its_sources_name(make: Any, registry: Any, tmp_path: Path) -> None:
    """A dpkg status with libwebp6 0.6.1-2 gives libwebp's two CRITICALs, beside CVE-2023-4863, which is rated 8.8."""
    old = make.layer({STATUS: make.stanza("libwebp6", "0.6.1-2", "libwebp")})
    found = scan(registry.push(base(make), old), tmp_path)
    severities = {finding.id: finding.severity for finding in found.findings}
    assert severities == {"CVE-2018-25011": "CRITICAL", "CVE-2020-36329": "CRITICAL", "CVE-2023-4863": "HIGH"}
    assert {finding.package for finding in found.findings} == {"libwebp"}


def test_what_a_later_layer_removes_is_gone(make: Any, registry: Any, tmp_path: Path) -> None:
    """A whiteout hides the old copy, and an opaque folder all copies."""
    old, more = make.dist_info("PyYAML", "5.3.1"), make.dist_info("h11", "0.15.0")
    whiteouts = make.layer(
        {"var/task/.wh.PyYAML-5.3.1.dist-info": None, "var/task/h11-0.15.0.dist-info/.wh..wh..opq": None}
    )
    assert scan(registry.push(base(make), make.layer(old | more), whiteouts), tmp_path).findings == ()


def test_a_hard_link_to_another_name_is_followed(make: Any, registry: Any, tmp_path: Path) -> None:
    """Metadata that is a hard link to a file with another name is read too."""
    content = next(iter(make.dist_info("PyYAML", "5.3.1").values()))
    linked = make.layer({"cache/blob": content}, {"var/task/PyYAML-5.3.1.dist-info/METADATA": "cache/blob"})
    assert [finding.id for finding in scan(registry.push(base(make), linked), tmp_path).findings] == ["CVE-2020-14343"]


def test_the_packages_are_those_that_syft_finds(make: Any, registry: Any, tmp_path: Path) -> None:
    """Another reader of the same formats finds the same packages in the whole image."""
    deb = make.stanza("python3-yaml", "6.0-3+b2", "pyyaml (6.0-3)") + make.stanza("chromium", "100.0-1")
    egg = "usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO"
    old = "usr/lib/python3/dist-packages/six-1.16.0.egg-info"
    metadata = {egg: "Metadata-Version: 1.0\nName: PyYAML\nVersion: 6.0\n", old: "Name: six\nVersion: 1.16.0\n"}
    first = base(make, **metadata, **{"var/lib/dpkg/info/python3-yaml.md5sums": f"{'0' * 32}  {egg}\n"})
    source = registry.push(first, make.layer({STATUS: deb} | make.dist_info("h11", "0.15.0")))
    answer = tmp_path / "whole.json"
    options = ["--override-default-catalogers", ",".join(CATALOGERS), "-o", f"syft-json={answer}"]
    syft = Path(sys.executable).with_name("syft")
    environment = {"SYFT_REGISTRY_INSECURE_USE_HTTP": "true", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run([syft, "scan", f"registry:{source.reference}", *options], check=True, env=environment)
    whole = {(each["name"], each["version"]) for each in json.loads(answer.read_bytes())["artifacts"]}
    found = packages_of(package_files(source))
    # syft lists what a package of Debian's delivers beside that package.
    assert {(each.name, each.version) for each in found} | {("pyyaml", "6.0")} == whole
    assert {each.name for each in found} == {"python3-yaml", "chromium", "h11", "six"}


def test_an_image_is_read_once(make: Any, registry: Any, tmp_path: Path) -> None:
    """A second scan of a digest needs no layers; another digest does."""
    source = registry.push(base(make))
    scan(source, tmp_path)
    registry.blobs.clear()
    assert scan(source, tmp_path).findings == ()


def test_kept_packages_that_were_cut_short_are_read_again(make: Any, registry: Any, tmp_path: Path) -> None:
    """A truncated file is replaced."""
    source = registry.push(base(make), make.layer(make.dist_info("PyYAML", "5.3.1")))
    scan(source, tmp_path)
    (kept,) = tmp_path.glob("sha256-*.json")
    for damage in (kept.read_bytes()[:40], b"[]"):
        kept.write_bytes(damage)
        assert len(scan(source, tmp_path).findings) == 1


def test_nothing_is_left_behind(make: Any, registry: Any, tmp_path: Path) -> None:
    """After scans that succeed and fail only the packages of an image are left."""
    scan(registry.push(base(make)), tmp_path)
    with pytest.raises(ScanFailed):
        scan(registry.push(b"\x1f\x8bgarbage"), tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda body: body[: len(body) // 2], "cannot be read completely|not all of it"),
        (lambda body: body[:-9], "cannot be read completely|not all of it"),
        (lambda body: b"\x1f\x8b\x08\x00" + b"garbage" * 99, "cannot be read completely"),
        (lambda _: b"", "cannot be read completely"),
        (lambda _: b"\0" * 10240, "not that layer"),
        (lambda _: b"\x28\xb5\x2f\xfd" + b"x" * 99, "zstd"),
    ],
)
def test_a_layer_that_is_not_whole_fails_the_scan(
    make: Any, registry: Any, tmp_path: Path, damage: Any, cause: str
) -> None:
    """Half a layer, garbage, nothing, an empty tar or zstd: a failed scan that names the layer."""
    body = make.layer(make.dist_info("PyYAML", "5.3.1"))
    source = registry.push(base(make), body)
    (digest,) = [digest for digest, each in registry.blobs.items() if each == body]
    registry.blobs[digest] = damage(body)
    with pytest.raises(ScanFailed, match=f"(?s){digest}.*({cause})|({cause}).*{digest}"):
        scan(source, tmp_path)


def test_a_missing_layer_fails_the_scan(make: Any, registry: Any, tmp_path: Path) -> None:
    """A layer that the registry has lost is named."""
    body = make.layer({"x": ""})
    source = registry.push(base(make), body)
    registry.blobs.pop(next(digest for digest, each in registry.blobs.items() if each == body))
    with pytest.raises(ScanFailed, match="does not hold the layer sha256:"):
        scan(source, tmp_path)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"x", b'{"manifests": []}', b'{"layers": [{}]}', b'{"layers": 3}'])
def test_an_index_or_garbage_is_not_an_image(registry: Any, tmp_path: Path, manifest: bytes) -> None:
    """An index cannot be scanned, so the scan fails."""
    with pytest.raises(ScanFailed, match="an index cannot be scanned"):
        scan(registry.push_manifest(manifest), tmp_path)


def test_an_image_of_nothing_fails_the_scan(make: Any, registry: Any, tmp_path: Path) -> None:
    """No packages: the scan fails."""
    with pytest.raises(ScanFailed, match="No package of the operating system"):
        scan(registry.push(make.layer({"bin/program": "x"})), tmp_path)


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ({"var/task/.wh.PyYAML-5.3.1.dist-info": None}, 0),
        ({"var/task/.wh..wh..opq": None}, 0),
        ({"var/task/PyYAML-5.3.1.dist-info": "a file"}, 0),
        ({"./var/task/PyYAML-5.3.1.dist-info/METADATA": "Name: PyYAML\nVersion: 6.0.2\n"}, 0),
        ({"var/task/.wh.PyYAML": None}, 1),
        ({"var/task/other": "a file"}, 1),
    ],
)
def test_later_layers_replace_and_remove(make: Any, registry: Any, tmp_path: Path, later: Any, left: int) -> None:
    """By whiteouts, by another file in the place of a file or a folder; what has a similar name stays."""
    old = make.layer(make.dist_info("PyYAML", "5.3.1"))
    assert len(scan(registry.push(base(make), old, make.layer(later)), tmp_path).findings) == left
