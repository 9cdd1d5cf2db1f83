"""The descent of an image from its approved base: what each check accepts and what it refuses."""

import pytest

from gate.image.base import STAND_IN_LABEL, descends_from, genuine, same_image
from tests.image.results import said

REPOSITORY = "public.ecr.aws/lambda/python"


@pytest.mark.parametrize("layers", [("a", "b"), ("a", "b", "c")])
def test_an_image_on_all_layers_of_its_base_descends_from_it(layers):
    """The base itself, and what is built on it."""
    assert descends_from(layers, ("a", "b"), "base:1").accepted


@pytest.mark.parametrize(
    ("layers", "shared"), [((), 0), (("a",), 1), (("b", "a"), 0), (("a", "x", "b"), 1), (("x", "b"), 0)]
)
def test_an_image_on_some_layers_of_its_base_does_not_descend_from_it(layers, shared):
    """The lowest layers count, in their order, up to the first that differs."""
    assert f"{shared} of the base's 2 layers" in said(descends_from(layers, ("a", "b"), "base:1"))


def test_a_base_without_layers_proves_nothing():
    """Every image would descend from it."""
    assert "has no layers" in said(descends_from(("a",), (), "base:1"))


@pytest.mark.parametrize(
    "base", [f"{REPOSITORY}:3.11", REPOSITORY, f"{REPOSITORY}@sha256:1", f"{REPOSITORY}:3.11@sha256:1"]
)
def test_a_base_with_a_digest_in_its_own_repository_is_genuine(base):
    """In every form of its name; another repository's digest beside it does no harm."""
    assert genuine({}, ("elsewhere/python@sha256:1", f"{REPOSITORY}@sha256:1"), base, "real").accepted


def test_the_port_of_a_registry_is_no_tag():
    """A base without a tag, in a registry with a port, is found by its whole name."""
    assert genuine({}, ("registry:5000/python@sha256:1",), "registry:5000/python", "real").accepted
    assert not genuine({}, ("registry@sha256:1",), "registry:5000/python", "real").accepted


@pytest.mark.parametrize("digests", [(), ("elsewhere/python@sha256:1",), (f"{REPOSITORY}-x@sha256:1",)])
def test_a_base_without_a_digest_in_its_registry_is_refused(digests):
    """A local tag of the same name is not the approved base."""
    assert f"was not pulled from {REPOSITORY}" in said(genuine({}, digests, f"{REPOSITORY}:3.11", "real"))


def test_a_digest_that_a_local_tag_made_is_no_registrys():
    """In containerd's store, and in Podman's, `docker tag` gives any image a digest under any registry's name."""
    digests = (f"{REPOSITORY}@sha256:1",)
    assert "did not pull" in said(genuine({}, digests, f"{REPOSITORY}:3.11", "simulated"))


def test_a_stand_in_is_never_the_approved_base():
    """Even with a registry digest."""
    labels = {STAND_IN_LABEL: "true"}
    assert "is a stand-in" in said(genuine(labels, (f"{REPOSITORY}@sha256:1",), f"{REPOSITORY}:3.11", "real"))


@pytest.mark.parametrize(("built", "accepted"), [("sha256:a", True), ("sha256:b", False), ("", False)])
def test_the_built_image_is_the_checked_one(built, accepted):
    """Another image, or none, is refused."""
    assert same_image(built, "sha256:a").accepted is accepted


def test_no_image_is_not_equal_to_no_image():
    """A missing image is refused on both sides."""
    assert "the build left no image" in said(same_image("", ""))
