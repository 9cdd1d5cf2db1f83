"""What an image, its Dockerfile and its requirements may hold is read or refused, and told visibly."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import default_environment

from gate.check import NoGo
from gate.errors import GateError
from gate.image.dockerfile import all_arguments, bases_approved, from_lines
from gate.image.permissions import readable_by_all
from gate.image.python import import_handler, inspect_python
from gate.image.requirements import pins, read_requirements
from gate.image.tree import ImageFile, Tree
from tests.image.archive import read_layers, tree_of

APPROVED = ("public.ecr.aws/lambda/python:3.11",)
INSTRUCTIONS = ("FROM", "from", "ARG", "ARG A=", "RUN", "COPY --from=", "--mount=from=", "# escape=`", "<<EOF", "EOF")
PIECES = ("$A", "${A:-", "}", "AS b", "naver:1", APPROVED[0], *"\\`\"'\n \t\ufeff\x00\u202e", "\x1b[2J")
WORDS = st.sampled_from(INSTRUCTIONS + PIECES)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=25).map("".join)
# A name in an image is bytes: not all of them are text.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40) | st.binary(
    min_size=1, max_size=40
).map(lambda raw: raw.replace(b"\x00", b"_").decode("utf-8", "surrogateescape"))
NAMES = NAMES.filter(lambda name: name.strip("/."))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A Dockerfile that each example writes anew."""
    return tmp_path_factory.mktemp("context") / "Dockerfile"


@given(text=TEXTS)
def test_any_dockerfile_is_read_or_refused(path, text) -> None:
    """A base is approved only if the text names it."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(GateError):
        found = from_lines(path, {"A": "b:1"})
        all_arguments(path)
        if bases_approved(found, APPROVED).accepted:
            assert APPROVED[0] in text or "scratch" in text.lower()


@given(text=TEXTS | st.text())
def test_any_requirements_are_pins_or_refused(path, text) -> None:
    """No version is empty, and names are canonical."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(GateError):
        found = pins(read_requirements(path), default_environment())
        assert all(name and name == name.lower() and version for name, version in found.items())


def host(answer: str):
    """A container whose Python answers this under the supervisor, and prints it as well."""

    def run(_command, *arguments):
        mark = json.loads(arguments[-1])["mark"] if arguments[-1].startswith("{") else ""
        told = {"answer": answer, "late": False, "large": False, "exit": 0, "said": answer}
        return SimpleNamespace(stdout=f"{answer}{mark}{json.dumps(told)}{mark}\n", stderr="", rc=0)

    return SimpleNamespace(run=run)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["callable", "error", "frames", "packages", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(said=st.text(max_size=60) | JSON.map(json.dumps) | st.just("[" * 2_000))
def test_whatever_the_images_python_says_is_facts_or_a_refusal(said) -> None:
    """An image may print anything."""
    with contextlib.suppress(GateError):
        import_handler(host(said), "src.main.handler", "/var/task")
    with contextlib.suppress(GateError):
        inspect_python(host(said), ["selenium"], "/var/task")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=2000))
def test_any_bytes_are_no_image_or_an_error_that_is_told(content) -> None:
    """`Engine.saved` turns a TarError into an EngineUnavailable; a layer of any bytes is refused or read."""
    with contextlib.suppress(tarfile.TarError, GateError):
        read_layers([b""], archive=content)
    for begin in (b"", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"):
        with contextlib.suppress(GateError):
            tree_of([begin + content])


def archive(names: list[str]) -> bytes:
    """A tar archive with a file that only root may read under each of these names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o600, 3
            made.addfile(entry, io.BytesIO(b"abc"))
    return buffer.getvalue()


@given(
    names=st.lists(NAMES.filter(lambda name: name.strip("/.")), min_size=1, max_size=4, unique=True),
    cut=st.integers(0, 3000),
)
def test_names_of_any_characters_are_read_and_told_visibly(names, cut) -> None:
    """A message about such files keeps its three lines; a cut archive is an error."""
    whole = archive([f"x/{name}" for name in names])
    tree = tree_of([whole])
    closed = [entry for entry in tree.entries.values() if entry.kind == "file"]
    assert closed
    said = str(NoGo(readable_by_all(Tree({"/x": ImageFile("/x/\x1b[2J", "file", 0o600), **tree.entries}, tree.texts))))
    assert said.count("\n") == 2
    assert all(line.isprintable() for line in said.split("\n"))
    with contextlib.suppress(GateError):
        tree_of([whole[:cut]])
