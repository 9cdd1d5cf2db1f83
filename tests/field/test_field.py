"""Shapes that people met in real accounts, images and tools: each is checked rightly by the reader its scenario uses.

Whoever meets another adds a row to a file in shapes/. Nothing there was copied: each is made small by hand.
"""

import re
from collections import Counter

import pytest

from gate.errors import GateError
from tests.field import feed_access, feed_image, feed_registry, feed_runtime, feed_scan, feed_zip_function
from tests.field.table import ROOT, VERDICTS, Shape, scenarios, shapes

FEEDERS = {
    "policies": feed_access.policies,
    "dockerfile": feed_image.dockerfile,
    "requirements": feed_image.requirements,
    "packages": feed_image.packages,
    "configuration": feed_image.configuration,
    "contents": feed_image.contents,
    "files": feed_image.files,
    "repository": feed_registry.repository,
    "manifest": feed_registry.manifest,
    "lifecycle": feed_registry.lifecycle,
    "listing": feed_registry.listing,
    "handler": feed_runtime.handler,
    "programs": feed_runtime.programs,
    "scan": feed_scan.scan,
    "register": feed_scan.register,
    "sbom": feed_scan.sbom,
    "snapshots": feed_zip_function.snapshots,
    "trail": feed_zip_function.trail,
    "traffic": feed_zip_function.traffic,
}
SHAPES = shapes()
# A repository and a number, or the title of a document of somebody's.
SOURCE = re.compile(r"[\w.-]+/[\w.-]+#\d+|[A-Z][^#]+, .+")


def checked(shape: Shape, folder) -> tuple[str, str]:
    """The verdict on a shape, and the words that go with it."""
    try:
        result = FEEDERS[shape.kind](shape.scenario, shape.given, folder)
    except feed_scan.Waited as waited:
        return "waited", str(waited)
    except GateError as refusal:  # what cannot be read is never passed
        return "red", str(refusal)
    return ("green" if result.accepted else "red"), "\n".join(map(str, result.rejections))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_real_shape_is_checked_rightly(shape, tmp_path):
    """Green where it harms nothing; else red, with the words that help."""
    verdict, words = checked(shape, tmp_path)
    assert verdict == shape.verdict, words or "nothing was objected to"
    assert [each for each in shape.says if each not in words] == [], words


def test_every_row_is_whole():
    """A source that can be looked up, a scenario that is made, a verdict, and words where it is not green."""
    known = scenarios()
    for shape in SHAPES:
        assert SOURCE.fullmatch(shape.seen), f"{shape}: give a repository and a number, or whose document and its title"
        assert shape.scenario in known, shape
        assert shape.verdict in VERDICTS, shape
        assert bool(shape.says) is not shape.harmless, shape


def test_the_table_is_large_and_varied_enough():
    """At least 60 shapes, at least half of them harmless, from many sources and about many scenarios."""
    assert len(SHAPES) >= 60
    assert sum(shape.harmless for shape in SHAPES) >= 30
    assert len({str(shape) for shape in SHAPES}) == len(SHAPES)
    assert max(Counter(shape.seen for shape in SHAPES).values()) <= 3
    assert len({shape.seen for shape in SHAPES}) >= 50
    assert len({shape.scenario for shape in SHAPES}) >= 20


def test_the_readme_tells_the_figure():
    """One sentence, held here."""
    harmless = sum(shape.harmless for shape in SHAPES)
    counted = f"{len(SHAPES)} inputs as real accounts and images have them, {harmless} of them harmless"
    assert f"{counted}, are judged rightly" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
