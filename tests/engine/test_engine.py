"""The engine as the gate asks it: what it answers, and what becomes of its silence and its refusals."""

from __future__ import annotations

import hashlib
import io
import tarfile
from contextlib import suppress

import pytest

from gate.engine import Engine, connect
from gate.engine.image import config_digest_in, uses_containerd_store
from gate.engine.stream import as_file
from gate.errors import EngineUnavailable, ImageUnavailable

HEX = hashlib.sha256(b"config").hexdigest()
RELEASED = "naver-sms-automation:latest"


def test_absent_engine_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that does not answer is told with the way out."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(EngineUnavailable, match="does not answer") as refused:
        connect(timeout=2)
    assert "DOCKER_HOST" in refused.value.remedy


@pytest.mark.docker
def test_a_socket_is_asked_without_a_look_at_the_environment(engine: Engine) -> None:
    """Looking for proxies there fails when pytest or the local target changes a variable in another thread."""
    assert not engine.client.api.trust_env


@pytest.mark.docker
def test_missing_image_is_named(engine: Engine) -> None:
    """A reference that names no image is told by its name."""
    with pytest.raises(ImageUnavailable, match="release-gate-tests/none:1"):
        engine.image("release-gate-tests/none:1")


@pytest.mark.docker
def test_image_is_described(engine: Engine, tiny_image: str) -> None:
    """Identity, platform, environment, labels, layers and sizes come back as values."""
    image = engine.image(tiny_image)
    assert image.image_id.startswith("sha256:")
    assert image.platform.startswith("linux/")
    assert (image.env, image.labels) == ({"A": "b=c"}, {"x": "y"})
    assert (image.entrypoint, image.cmd, image.workdir, image.user) == ((), (), "", "")
    assert len(image.layers) == 1
    assert image.size_bytes == sum(cost.size_bytes for cost in image.layer_costs) == 9


@pytest.mark.docker
def test_files_come_as_one_stream(engine: Engine, tiny_image: str) -> None:
    """Every file of an image that cannot even start is read, and the container for it is gone."""
    before = len(engine.client.containers.list(all=True, filters={"ancestor": tiny_image}))
    with engine.export(tiny_image) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        found = {m.name: archive.extractfile(m).read() for m in archive if m.name == "file"}  # type: ignore[union-attr]
    assert found == {"file": b"one file\n"}
    assert len(engine.client.containers.list(all=True, filters={"ancestor": tiny_image})) == before == 0


@pytest.mark.docker
def test_image_over_the_limit_is_refused(engine: Engine, tiny_image: str) -> None:
    """An export that is larger than the limit ends in a sentence, not in a full disk."""
    with pytest.raises(ImageUnavailable, match="larger than the 100 bytes"), engine.export(tiny_image, 100) as stream:
        stream.read()


@pytest.mark.docker
def test_image_without_programs_cannot_be_looked_into(engine: Engine, tiny_image: str) -> None:
    """An image with nothing to run is told, and leaves no container."""
    with pytest.raises(ImageUnavailable, match="neither `sleep` nor a Python"), engine.inspection(tiny_image):
        pytest.fail("nothing can run in it")
    assert engine.client.containers.list(all=True, filters={"ancestor": tiny_image}) == []


@pytest.mark.docker
def test_inspection_container_has_no_network_and_goes_away(engine: Engine) -> None:
    """It runs while it is used, on no network, and is removed also when the user of it fails."""
    with suppress(ZeroDivisionError), engine.inspection(RELEASED) as identity:
        container = engine.client.containers.get(identity)
        assert container.status == "running"
        assert container.attrs["HostConfig"]["NetworkMode"] == "none"
        raise ZeroDivisionError
    assert identity not in [c.id for c in engine.client.containers.list(all=True)]


@pytest.mark.docker
def test_removing_twice_is_no_error(engine: Engine) -> None:
    """What is gone is what was wanted."""
    engine.remove("0" * 64)


@pytest.mark.parametrize("name", [f"{HEX}.json", f"blobs/sha256/{HEX}"])
def test_config_digest_is_read_from_either_archive(name: str) -> None:
    """The saved archive of either image store names the configuration."""
    assert config_digest_in(_archive({"layer": b"x" * 5000, "manifest.json": f'[{{"Config":"{name}"}}]'.encode()})) == (
        f"sha256:{HEX}"
    )


@pytest.mark.parametrize("files", [{}, {"manifest.json": b"[]"}, {"index.json": b"{}"}])
def test_archive_without_config_is_refused(files: dict[str, bytes]) -> None:
    """An archive that names no configuration gives no identity."""
    with pytest.raises(tarfile.ReadError):
        config_digest_in(_archive(files))


def test_containerd_store_is_recognised() -> None:
    """The engine's own account tells which store it uses."""
    assert uses_containerd_store({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]})
    assert not uses_containerd_store({"DriverStatus": [["Backing Filesystem", "extfs"]]})
    assert not uses_containerd_store({"DriverStatus": None})


def _archive(files: dict[str, bytes]) -> tarfile.TarFile:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    data = written.getvalue()
    chunks = (data[start : start + 777] for start in range(0, len(data), 777))
    return tarfile.open(fileobj=as_file(chunks, len(data)), mode="r|")
