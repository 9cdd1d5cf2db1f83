"""The engine, and thin images upon the released one, each with one fault."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gate.engine import Engine, connect, owner_label
from gate.errors import ImageUnavailable

RELEASED = "naver-sms-automation:latest"
HANDLERS = Path(__file__).with_name("handlers")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine; without one these tests fail, they are not skipped."""
    with_engine = connect()
    yield with_engine
    with_engine.close()


@pytest.fixture(scope="session")
def released(engine: Engine) -> str:
    """The released image, built before."""
    try:
        return engine.image(RELEASED).image_id
    except ImageUnavailable as missing:
        pytest.fail(f"{missing}\nrun `make docker-build` first")


@pytest.fixture(scope="session")
def thin_image(engine: Engine, released: str) -> Iterator[Callable[[str], str]]:
    """Builds an image upon the released one from a few Dockerfile lines; all are removed at the end."""
    built: list[str] = []

    def build(lines: str) -> str:
        dockerfile = f"FROM {released}\nCOPY handlers/ /var/task/\n{lines}\n"
        image, _ = engine.client.images.build(
            fileobj=_context(dockerfile), custom_context=True, labels=owner_label(), rm=True, forcerm=True
        )
        built.append(str(image.id))
        return built[-1]

    yield build
    for image in dict.fromkeys(built):
        engine.client.images.remove(image, force=True)


def _context(dockerfile: str) -> io.BytesIO:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        archive.add(HANDLERS, "handlers", filter=lambda member: None if "__pycache__" in member.name else member)
        text = dockerfile.encode()
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    context.seek(0)
    return context
