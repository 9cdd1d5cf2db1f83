"""The engine: its answers, and the errors for its refusals and for no answer."""

from __future__ import annotations

from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

from gate.engine import Engine, connect
from gate.errors import EngineUnavailable, ImageUnavailable
from gate.image.archive import read_image
from gate.image.layer_files import LayerFolder

ID = "sha256:" + "c" * 64
RELEASED = "naver-sms-automation:latest"


def test_absent_engine_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that does not answer is reported with the way out."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(EngineUnavailable, match="does not answer") as refused:
        connect(timeout=2)
    assert "DOCKER_HOST" in refused.value.remedy


def test_an_engine_behind_ssh_is_refused_with_the_way_to_it() -> None:
    """Docker's SDK has no SSH of its own here; the docker command has."""
    with pytest.raises(EngineUnavailable, match="DOCKER_HOST is ssh://me@there") as refused:
        connect(environment={"DOCKER_HOST": "ssh://me@there"})
    assert "-L engine.sock:/var/run/docker.sock" in refused.value.remedy


@pytest.mark.docker
def test_a_socket_is_asked_without_a_look_at_the_environment(engine: Engine) -> None:
    """Looking for proxies there fails when pytest or the local target changes a variable in another thread."""
    assert not engine.client.api.trust_env


@pytest.mark.docker
def test_missing_image_is_named(engine: Engine) -> None:
    """The error holds the reference."""
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
def test_layers_come_as_one_stream(engine: Engine, tiny_image: str, tmp_path: Path) -> None:
    """Every file of an image that cannot even start is read, and no container is made for it."""
    layers, save = engine.image(tiny_image).layers, partial(engine.saved, tiny_image)
    with closing(LayerFolder(tmp_path)) as folder:
        archive = read_image(layers, folder, save, lambda _: True)
        assert archive.tree().texts == {"/file": "one file\n"}
    assert not engine.client.containers.list(all=True, filters={"ancestor": tiny_image})


@pytest.mark.docker
def test_image_over_the_limit_is_refused(engine: Engine, tiny_image: str) -> None:
    """An archive that is larger than the limit ends in an error."""
    with pytest.raises(ImageUnavailable, match="larger than the 100 bytes"), engine.saved(tiny_image, 100) as stream:
        stream.read()


@pytest.mark.docker
def test_image_without_programs_cannot_be_looked_into(engine: Engine, tiny_image: str) -> None:
    """An image with nothing to run is reported, and leaves no container."""
    with pytest.raises(ImageUnavailable, match="neither `sleep` nor a Python"), engine.inspection(tiny_image):
        pytest.fail("nothing can run in it")
    assert engine.client.containers.list(all=True, filters={"ancestor": tiny_image}) == []


@pytest.mark.docker
def test_inspection_container_has_no_network_and_goes_away(engine: Engine) -> None:
    """It runs while it is used, without a network, and is removed also after an exception."""
    with suppress(ZeroDivisionError), engine.inspection(RELEASED) as identity:
        container = engine.client.containers.get(identity)
        assert container.status == "running"
        assert container.attrs["HostConfig"]["NetworkMode"] == "none"
        raise ZeroDivisionError
    assert identity not in [c.id for c in engine.client.containers.list(all=True)]


@pytest.mark.docker
def test_removing_twice_is_no_error(engine: Engine) -> None:
    """A container that is gone needs no removal."""
    engine.remove("0" * 64)


def test_a_build_is_found_by_its_id_or_else_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """BuildKit answers the configuration's digest, by which containerd's store finds nothing."""
    built, asked = Mock(image_id=ID, engine_id="sha256:m"), []

    def image(_: Engine, reference: str) -> Mock:
        asked.append(reference)
        if reference == ID:
            raise ImageUnavailable("no such image")
        return built

    monkeypatch.setattr(Engine, "image", image)
    assert Engine(Mock()).built(ID, "x:latest") is built
    assert asked == [ID, "x:latest"]


def test_a_build_whose_name_was_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another build under the same name is never checked in its place."""

    def image(_: Engine, reference: str) -> Mock:
        if reference == ID:
            raise ImageUnavailable("no such image")
        return Mock(image_id="sha256:another", engine_id="sha256:m")

    monkeypatch.setattr(Engine, "image", image)
    with pytest.raises(ImageUnavailable, match="names sha256:another"):
        Engine(Mock()).built(ID, "x:latest")
