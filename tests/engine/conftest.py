"""The engine, and an image so small that it holds one file."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from gate.engine import Engine, connect

CONTENT = b"one file\n"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine; without one these tests fail, they are not skipped."""
    with_engine = connect()
    yield with_engine
    with_engine.close()


@pytest.fixture
def tiny_image(engine: Engine) -> Iterator[str]:
    """An image with one file and no program; removed afterwards."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(CONTENT)
        tar.addfile(member, io.BytesIO(CONTENT))
    reference = "release-gate-tests/tiny:1"
    engine.client.api.import_image_from_data(
        archive.getvalue(), repository="release-gate-tests/tiny", tag="1", changes=["ENV A=b=c", "LABEL x=y"]
    )
    yield reference
    engine.client.images.remove(reference, force=True)
