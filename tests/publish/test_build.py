"""The approved base: pulled or built, and from then on known by its ID; what builds nothing goes on without it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import APIError
from requests.exceptions import ConnectionError

from gate.errors import ImageUnavailable
from gate.publish import build
from gate.publish.build import STAND_IN, base_of, build_stand_in

BASE = "public.ecr.aws/lambda/python:3.11"
PULLED, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
DIGEST = "public.ecr.aws/lambda/python@sha256:" + "d" * 64


class Docker:
    """An engine that can pull or not, and has the image or not; its tags move as soon as they were read."""

    buildkit = True

    def __init__(self, pulls, here, digests=(DIGEST,), called=None):
        self.pulls, self.here, self.digests, self.called = pulls, here, digests, called
        self.client = SimpleNamespace(images=self, api=self)
        self.tags, self.read = {}, []

    def pull(self, reference):
        """As docker-py's."""
        assert reference == BASE
        if not self.pulls:
            raise APIError("no such host")
        return SimpleNamespace(id=PULLED)

    def image(self, reference):
        """What the engine has."""
        if not self.here and not reference.startswith("sha256:"):
            raise ImageUnavailable(f"no {reference}")
        self.read.append(reference)
        found = reference if reference.startswith("sha256:") else OTHER
        called = self.called or found
        return SimpleNamespace(reference=reference, image_id=found, engine_id=called, repo_digests=self.digests)

    def built(self, image_id, _tag):
        """What a build left."""
        return self.image(image_id)

    def images(self, name):
        """As docker-py's APIClient; nothing that could be removed."""
        return []

    def tag(self, image_id, repository, tag, *, force):
        """As docker-py's APIClient."""
        assert force
        self.tags[f"{repository}:{tag}"] = image_id


def base(place, *, pulls, here, publishes=True, digests=(DIGEST,), python="3.11"):
    """The base of a run."""
    options = SimpleNamespace(target="aws", image_context=Path("nowhere"))
    release = SimpleNamespace(approved_bases=(BASE,), python_version=python)
    terminal = SimpleNamespace(progress=lambda _line: None)
    run = SimpleNamespace(
        target=place, terminal=terminal, options=options, release=release, publishes=publishes, provenance="real"
    )
    return base_of(run, Docker(pulls, here, digests))


@pytest.mark.parametrize("place", ["aws", "aws-rehearsal"])
@pytest.mark.parametrize("here", [True, False])
def test_a_pulled_base_is_real_and_known_by_its_id(place, here):
    """Whatever was here before, and wherever its tag leads a moment later; a build names it by its digest."""
    found = base(place, pulls=True, here=here)
    assert (found.reference, found.found, found.provenance) == (DIGEST, PULLED, "real")
    assert found.approved == (BASE, DIGEST)


@pytest.mark.parametrize("here", [True, False])
def test_on_aws_an_image_of_that_name_proves_nothing(here):
    """It may be anybody's: the pull decides, and nothing is built on another."""
    with pytest.raises(ImageUnavailable, match="cannot be pulled: the Docker engine refused: no such host"):
        base("aws", pulls=False, here=here)


@pytest.mark.parametrize("place", ["aws", "aws-rehearsal"])
def test_a_run_that_builds_nothing_goes_on_without_it(place):
    """Whoever needs it is told why it is not there; the names that a FROM may carry are known all the same."""
    found = base(place, pulls=False, here=False, publishes=False)
    assert (found.reference, found.approved) == (BASE, (BASE,))
    with pytest.raises(ImageUnavailable, match="cannot be pulled: the Docker engine refused: no such host"):
        _ = found.found


def test_a_rehearsal_may_take_the_image_of_that_name_and_says_so():
    """It is simulated; its tag is read once."""
    found = base("aws-rehearsal", pulls=False, here=True)
    assert (found.reference, found.approved, found.provenance) == (DIGEST, (BASE, DIGEST), "simulated")
    assert found.found == OTHER


def test_a_base_that_no_registry_knows_gets_a_tag_that_nobody_moves():
    """Made of its ID; another repository's digest is no name of it."""
    found = base("aws-rehearsal", pulls=False, here=True, digests=("elsewhere/python@sha256:" + "e" * 64,))
    assert found.reference == f"public.ecr.aws/lambda/python:{'b' * 12}"


@pytest.mark.parametrize(("python", "helper"), [("3.11", ""), ("", "the stand-in")])
def test_on_aws_a_release_without_a_python_has_the_stand_ins_for_its_sandbox(monkeypatch, python, helper):
    """Its base stays the one that was pulled."""
    stand_in = build.Base("standin", ("standin",), "simulated", "the stand-in")
    monkeypatch.setattr(build, "_stand_in", lambda _run, _docker: stand_in)
    found = base("aws", pulls=True, here=False, python=python)
    assert (found.helper, found.reference, found.provenance) == (helper, DIGEST, "real")


def test_a_rehearsal_without_it_says_what_to_do():
    """Reach the registry, or rehearse locally."""
    with pytest.raises(ImageUnavailable) as refused:
        base("aws-rehearsal", pulls=False, here=False)
    assert "public.ecr.aws" in refused.value.remedy
    assert "--target local" in refused.value.remedy


def test_the_stand_in_is_what_its_build_left_and_not_what_its_tag_names_later(monkeypatch, tmp_path):
    """Another checkout on this engine builds its own under the same tag, between any two steps."""
    built = SimpleNamespace(image_id=PULLED, tag=STAND_IN)
    monkeypatch.setattr(build, "build_image", lambda context, *, tag, **_: built if tag == STAND_IN else None)
    docker = Docker(pulls=False, here=True, digests=())
    found = build_stand_in(docker, tmp_path, Path("log"), lambda _line: None)
    assert found.found == PULLED
    assert found.reference == f"release-gate-lambda-base:{'a' * 12}"
    assert docker.tags == {found.reference: PULLED}
    assert STAND_IN not in docker.read


AGES = {
    "release-gate-lambda-base:standin": "2020-01-01T00:00:00.123456789Z",
    f"release-gate-lambda-base:{'a' * 12}": "2020-01-01T00:00:00Z",
    f"release-gate-lambda-base:{'1' * 12}": "2020-01-01T00:00:00.123456789Z",
    f"release-gate-lambda-base:{'2' * 12}": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
    f"release-gate-lambda-base:{'3' * 12}": "0001-01-01T00:00:00Z",
    f"release-gate-lambda-base:{'4' * 12}": None,
    f"release-gate-lambda-base:{'5' * 12}": "2020-01-01T00:00:00+09:00",
    "release-gate-lambda-base:mine": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize("fails", [None, APIError("busy"), ConnectionError("silence")])
def test_tags_of_stand_ins_that_nobody_built_on_for_a_day_are_removed(monkeypatch, tmp_path, fails):
    """Not this build's, today's, one of unknown age or a person's own; a refusal of the engine stops nothing."""
    monkeypatch.setattr(build, "build_image", lambda _context, **_: SimpleNamespace(image_id=PULLED, tag=STAND_IN))
    docker, removed = Docker(pulls=False, here=True, digests=()), []

    def remove(tag):
        if tag == f"release-gate-lambda-base:{'1' * 12}" and fails:
            raise fails
        removed.append(tag)

    docker.images = lambda name: [{"RepoTags": [tag]} for tag in AGES if tag.startswith(name)] + [{"RepoTags": None}]
    docker.inspect_image = lambda tag: {"Metadata": {"LastTagTime": AGES[tag]}}
    docker.remove_image = remove
    build_stand_in(docker, tmp_path, Path("log"), lambda _line: None)
    idle = [f"release-gate-lambda-base:{digit * 12}" for digit in "15"]
    assert removed == {None: idle, APIError: idle[1:], ConnectionError: []}[fails and type(fails)]


def test_in_containerds_store_a_local_digest_is_no_registrys(monkeypatch, tmp_path):
    """Every image has one there; a build that named it would ask the registry for what was never pushed."""
    built = SimpleNamespace(image_id=PULLED, tag=STAND_IN)
    monkeypatch.setattr(build, "build_image", lambda _context, **_: built)
    manifest = "sha256:" + "f" * 64
    docker = Docker(pulls=False, here=True, digests=(f"release-gate-lambda-base@{manifest}",), called=manifest)
    found = build_stand_in(docker, tmp_path, Path("log"), lambda _line: None)
    assert (found.reference, found.found) == (f"release-gate-lambda-base:{'a' * 12}", manifest)
    assert docker.tags == {found.reference: manifest}
