"""The push: what is tried again, what is not, and what it leaves behind."""

import base64
from datetime import UTC, datetime

import docker
import pytest
import requests

from gate.aws.retry import TimeSource
from gate.errors import AwsRefused, EngineUnavailable, ImageUnavailable
from gate.registry.pull import Login
from gate.registry.push import PAUSES, push

LOGIN = Login("https://registry.example:5000/", "AWS", "top-secret", datetime(2030, 1, 1, tzinfo=UTC))
MID_PUSH = {"id": "a1", "status": "Pushing", "progressDetail": {"current": 1, "total": 4_000_000}}


def run(rehearsal, *scripts):
    """Push with the engine answering these scripts first."""
    rehearsal.engine.scripts = list(scripts)
    patience = TimeSource(monotonic=rehearsal.time.clock, sleep=rehearsal.time.sleep)
    return push(rehearsal.engine, "sha256:image", LOGIN, "repo", "candidate", rehearsal.said.append, patience)


def test_a_push_answers_the_digest_and_takes_its_local_name_away(rehearsal):
    """The digest is the registry's own; the engine is left as it was found."""
    digest = run(rehearsal)
    assert digest == rehearsal.registry.tags["candidate"]
    assert rehearsal.engine.names == ["naver-sms-automation:latest"]


def test_the_login_goes_along_in_memory(rehearsal):
    """Name and password are handed to the engine with the push, and stand in no representation."""
    run(rehearsal)
    repository, tag, credentials = rehearsal.engine.pushes[0]
    assert (repository, tag) == ("registry.example:5000/repo", "candidate")
    assert credentials == {"username": "AWS", "password": "top-secret"}
    assert "top-secret" not in repr(LOGIN)
    assert LOGIN.secrets == ("top-secret", base64.b64encode(b"AWS:top-secret").decode())


def test_progress_is_said_every_ten_seconds_for_all_layers(rehearsal):
    """How many layers are there and how much was sent: a line soon, then now and then, however many events come."""

    def slowly():
        yield {"id": "b2", "status": "Layer already exists"}
        for second in range(20):
            rehearsal.time.sleep(1)
            yield {"id": "a1", "status": "Pushing", "progressDetail": {"current": second * 5_000_000, "total": 10**8}}
        rehearsal.time.sleep(10)
        yield {"id": "a1", "status": "Pushed"}
        yield {"aux": {"Digest": "sha256:d"}}

    run(rehearsal, slowly())
    assert rehearsal.said == [
        "1 of 2 layers are in the registry, 5 MB sent",
        "1 of 2 layers are in the registry, 55 MB sent",
        "2 of 2 layers are in the registry, 95 MB sent",
    ]


def test_a_push_of_what_is_there_says_nothing(rehearsal):
    """A line for each layer of a repeated push would tell nobody anything."""
    run(rehearsal, [*({"id": n, "status": "Layer already exists"} for n in "abc"), {"aux": {"Digest": "sha256:d"}}])
    assert rehearsal.said == []


def test_the_engines_own_countdown_is_said_once(rehearsal):
    """Five lines of "Retrying in … seconds" are one line here."""
    countdown = [{"id": "a1", "status": f"Retrying in {n} seconds"} for n in range(5, 0, -1)]
    run(rehearsal, [*countdown, {"aux": {"Digest": "sha256:d"}}])
    assert rehearsal.said == ["layer a1 is sent once more"]


@pytest.mark.parametrize(
    "message",
    [
        "received unexpected HTTP status: 500 Internal Server Error",
        "received unexpected HTTP status: 503 Service Unavailable",
        'Put "http://r/v2/": dial tcp 127.0.0.1:5000: connect: connection refused',
        "write tcp 127.0.0.1:1->127.0.0.1:2: write: connection reset by peer",
        "toomanyrequests: Rate exceeded",
        "unexpected EOF",
        "net/http: TLS handshake timeout",
    ],
)
def test_a_registry_that_recovers_is_tried_again(rehearsal, message):
    """5xx, reset connections and throttling pass: the push is repeated, and says so."""
    digest = run(rehearsal, [MID_PUSH, {"error": message}], [{"error": message}])
    assert digest == rehearsal.registry.tags["candidate"]
    assert rehearsal.time.slept == list(PAUSES[:2])
    assert sum("trying again" in line and message in line for line in rehearsal.said) == 2


def test_a_registry_that_died_in_mid_push_is_a_no_go_after_all_attempts(rehearsal):
    """The message says what it said last, how often it was tried, and what to do."""
    dead = [[MID_PUSH, {"error": "connection refused"}] for _ in range(4)]
    with pytest.raises(AwsRefused, match="after 4 attempts: connection refused") as refusal:
        run(rehearsal, *dead)
    assert "run the release again" in refusal.value.remedy
    assert rehearsal.time.slept == list(PAUSES)
    assert rehearsal.engine.names == ["naver-sms-automation:latest"]


def test_a_stream_that_ends_without_a_digest_is_no_success(rehearsal):
    """A push that was cut off silently is tried again, and in the end refused."""
    with pytest.raises(AwsRefused, match="without the digest"):
        run(rehearsal, *[[MID_PUSH] for _ in range(4)])


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("no basic auth credentials", "log in"),
        ("denied: Your authorization token has expired. Reauthenticate and try again.", "log in"),
        ("unauthorized: authentication required", "log in"),
        (
            "denied: User: arn:aws:sts::1:assumed-role/dev/x is not authorized to perform: ecr:PutImage",
            "grant the pushing role",
        ),
        ("tag invalid: The image tag 'candidate' already exists and is immutable", "cannot move"),
        ("name unknown: The repository with name 'repo' does not exist", "not one that passes by itself"),
        ("something that nobody has seen before", "not one that passes by itself"),
    ],
)
def test_what_does_not_pass_by_itself_is_tried_once(rehearsal, message, remedy):
    """Authentication, permission, immutability and unknown errors end the push at once, with what to do."""
    with pytest.raises(AwsRefused) as refusal:
        run(rehearsal, [{"error": message}])
    assert message in refusal.value.cause
    assert remedy in refusal.value.remedy
    assert rehearsal.time.slept == []
    assert len(rehearsal.engine.pushes) == 1


def test_an_engine_that_stops_is_said_to_be_the_engine(rehearsal):
    """A broken connection to the engine is no fault of the registry, and is not retried."""
    with pytest.raises(EngineUnavailable, match="stopped answering"):
        run(rehearsal, requests.exceptions.ReadTimeout("Read timed out."))


def test_a_push_that_never_ends_is_given_up(rehearsal):
    """After half an hour of events without an end the push is a NO-GO."""

    def forever():
        while True:
            rehearsal.time.sleep(100)
            yield MID_PUSH

    with pytest.raises(AwsRefused, match="did not end within 1800 s"):
        run(rehearsal, forever())


def test_an_image_that_is_not_there_is_named(rehearsal):
    """The engine's "not found" becomes a sentence with the image's ID."""

    def missing(_image):
        raise docker.errors.ImageNotFound("No such image")

    rehearsal.engine.inspect_image = missing
    with pytest.raises(ImageUnavailable, match="holds no image sha256:image"):
        run(rehearsal)


def _digests(rehearsal, image, *digests):
    """Let the engine call the image so, and hold it under these digests."""
    held = {"Id": image, "RepoTags": ["a:1", "b:2"], "RepoDigests": list(digests)}
    rehearsal.engine.inspect_image = lambda _image: held


def test_containerds_store_tells_no_digest_and_its_own_id_is_it(rehearsal):
    """The ID is the manifest's digest there, whatever the names are that it goes by."""
    _digests(rehearsal, "sha256:m", "registry.example:5000/repo@sha256:m", "repo@sha256:m")
    assert run(rehearsal, [MID_PUSH, {"id": "a1", "status": "Pushed"}]) == "sha256:m"


def test_a_digest_that_only_the_last_line_tells_is_the_digest(rehearsal):
    """As people read it under `docker push`."""
    digest = f"sha256:{'a' * 64}"
    assert run(rehearsal, [MID_PUSH, {"status": f"candidate: digest: {digest} size: 2837"}]) == digest


@pytest.mark.parametrize("digests", [(), ("registry.example:5000/repo@sha256:before",), ("repo@sha256:before",)])
def test_what_was_pushed_before_is_no_digest_of_this_push(rehearsal, digests):
    """Docker's own store remembers earlier pushes, and its IDs are no manifests'."""
    _digests(rehearsal, "sha256:config", *digests)
    with pytest.raises(AwsRefused, match="without the digest"):
        run(rehearsal, *[[MID_PUSH]] * (len(PAUSES) + 1))


def test_the_only_name_of_an_image_is_never_taken_from_it(rehearsal):
    """An image without any other name would be deleted with its last one: it keeps the name."""
    rehearsal.engine.names = []
    run(rehearsal)
    assert rehearsal.engine.names == ["registry.example:5000/repo:candidate"]
