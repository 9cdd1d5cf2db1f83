"""The approved base on AWS's options: pulled, or nothing; only a rehearsal may take what happens to be here."""

from types import SimpleNamespace

import pytest
from docker.errors import APIError

from gate.errors import ImageUnavailable
from gate.run.bases import base_of

BASE = "public.ecr.aws/lambda/python:3.11"


class Docker:
    """An engine that can pull or not, and has the image or not."""

    def __init__(self, pulls, here):
        self.pulls, self.here = pulls, here
        self.client = SimpleNamespace(images=self)

    def pull(self, reference):
        """As docker-py's."""
        assert reference == BASE
        if not self.pulls:
            raise APIError("no such host")

    def image(self, reference):
        """What the engine has."""
        if not self.here:
            raise ImageUnavailable(f"no {reference}")
        return reference


def base(place, *, pulls, here):
    """The base of a run."""
    options, release = SimpleNamespace(target="aws"), SimpleNamespace(approved_bases=(BASE,))
    terminal = SimpleNamespace(progress=lambda _line: None)
    run = SimpleNamespace(place=place, terminal=terminal, options=options, release=release)
    return base_of(run, Docker(pulls, here))


@pytest.mark.parametrize("place", ["aws", "aws-rehearsal"])
@pytest.mark.parametrize("here", [True, False])
def test_a_pulled_base_is_real(place, here):
    """Whatever was here before."""
    found = base(place, pulls=True, here=here)
    assert (found.reference, found.provenance) == (BASE, "real")


def test_on_aws_an_image_of_that_name_proves_nothing():
    """It may be anybody's: the pull decides."""
    with pytest.raises(ImageUnavailable, match="cannot be pulled: the Docker engine refused: no such host"):
        base("aws", pulls=False, here=True)


def test_a_rehearsal_may_take_the_image_of_that_name_and_says_so():
    """It is simulated."""
    found = base("aws-rehearsal", pulls=False, here=True)
    assert (found.reference, found.approved, found.provenance) == (BASE, (BASE,), "simulated")


def test_a_rehearsal_without_it_says_what_to_do():
    """Reach the registry, or rehearse locally."""
    with pytest.raises(ImageUnavailable) as refused:
        base("aws-rehearsal", pulls=False, here=False)
    assert "public.ecr.aws" in refused.value.remedy
    assert "--target local" in refused.value.remedy
