"""Reading ECR: all pages, archived images too, and a sentence for every refusal."""

import hashlib
import http.server
import json
import threading
from datetime import UTC, datetime

import pytest

from gate.aws.errors import AwsNotFound
from gate.errors import AwsRefused
from gate.registry.ecr import EcrRepository
from gate.registry.pull import Login, fetch_blob, read_login
from tests.registry.conftest import image_manifest, sha

ACCOUNT, NAME = "654654307503", "naver-sms-automation"


@pytest.fixture
def ecr(registry):
    """The reader over the registry in memory."""
    return EcrRepository(registry.client(), ACCOUNT, NAME)


def test_every_page_is_read_and_archived_images_are_asked_for(registry, ecr):
    """Seven images on four pages; without the filter ECR would leave archived images out."""
    for number in range(7):
        registry.put(f'{{"number": {number}}}', f"v0.{number}.0")
    assert len(ecr.images()) == 7
    assert all(asked["filter"] == {"imageStatus": "ANY"} for name, asked in registry.calls if name == "DescribeImages")


def test_a_snapshot_holds_settings_images_policies_and_tags(registry, ecr):
    """What is not set is None; what is set is there as text."""
    registry.lifecycle = json.dumps({"rules": [{"rulePriority": 1, "description": "as long as ECR wants it" * 5}]})
    snapshot = ecr.snapshot()
    assert snapshot.repository.mutability.setting == "IMMUTABLE_WITH_EXCLUSION"
    assert [each.pattern for each in snapshot.repository.mutability.exclusions] == ["latest", "candidate"]
    assert snapshot.lifecycle_policy == registry.lifecycle
    assert snapshot.repository_policy is None
    assert snapshot.resource_tags == {"Project": NAME}


@pytest.mark.parametrize(
    ("code", "cause", "remedy"),
    [
        ("AccessDeniedException", "not allowed ecr:DescribeImages", "grant ecr:DescribeImages"),
        ("ExpiredTokenException", "credentials are not accepted", "log in again"),
        ("UnrecognizedClientException", "credentials are not accepted", "log in again"),
        ("RepositoryNotFoundException", "does not exist", "create it"),
        ("SomethingNew", "AWS refused ecr:DescribeImages", ""),
    ],
)
def test_a_refusal_names_the_permission_and_the_way_out(registry, ecr, code, cause, remedy):
    """Who reads the message knows what to grant, where to log in, or what is missing."""
    registry.faults["DescribeImages"] = [(400, code)]
    with pytest.raises(AwsRefused) as refusal:
        ecr.images()
    assert cause in refusal.value.cause
    assert remedy in refusal.value.remedy
    assert f"the repository {NAME}" in str(refusal.value)


def test_a_5xx_in_the_middle_of_paging_is_retried_and_then_refused(registry, ecr):
    """One bad answer passes; six are a NO-GO."""
    for number in range(4):
        registry.put(f'{{"number": {number}}}')
    registry.faults["DescribeImages"] = [(500, "ServerException")]
    assert len(ecr.images()) == 4
    registry.faults["DescribeImages"] = [(503, "ServiceUnavailableException")] * 6
    with pytest.raises(AwsRefused, match="after retries"):
        ecr.images()


def test_an_answer_of_another_shape_is_a_refusal_and_no_crash(registry, ecr):
    """A missing field, or garbage, is said to be unreadable."""
    registry._validate = lambda *_: None
    registry.DescribeImages = lambda **_: (200, {"imageDetails": [{"imageTags": ["v1"]}]})
    with pytest.raises(AwsRefused, match="DescribeImages cannot be read"):
        ecr.images()
    registry.DescribeImages = lambda **_: (200, {})
    with pytest.raises(AwsRefused, match="DescribeImages cannot be read"):
        ecr.images()
    registry.DescribeRepositories = lambda **_: (200, {"repositories": []})
    with pytest.raises(AwsRefused, match="0 repositories"):
        ecr.describe()


def test_a_status_that_is_not_stated_is_not_active(registry, ecr):
    """An emulator without image statuses proves nothing about them."""
    registry.put("{}", "v1")
    real = registry.DescribeImages

    def without(**asked):
        status, answer = real(**asked)
        return status, {
            "imageDetails": [{k: v for k, v in d.items() if k != "imageStatus"} for d in answer["imageDetails"]]
        }

    registry.DescribeImages = without
    assert ecr.images()[0].status == "UNSTATED"


def test_a_manifest_that_is_not_there_is_told_from_one_that_is_refused(registry, ecr):
    """ImageNotFound may pass; another failure code does not."""
    with pytest.raises(AwsNotFound, match="ImageNotFound: no such image"):
        ecr.manifest("sha256:" + "0" * 64)
    failure = {"imageId": {}, "failureCode": "KmsError", "failureReason": "key disabled"}
    registry.BatchGetImage = lambda **_: (200, {"images": [], "failures": [failure]})
    with pytest.raises(AwsRefused, match="KmsError: key disabled") as refusal:
        ecr.manifest("sha256:" + "0" * 64)
    assert not isinstance(refusal.value, AwsNotFound)


def test_the_password_is_made_known_to_redaction_and_shown_nowhere(registry):
    """Password and token are handed to whoever hides secrets; no representation holds them."""
    learnt = []
    ecr = EcrRepository(registry.client(), ACCOUNT, NAME, learn=learnt.extend)
    login = ecr.login()
    assert learnt == ["password", "QVdTOnBhc3N3b3Jk"]
    assert "password" not in repr(login).replace("password=", "")
    assert login.host == "127.0.0.1:9"


@pytest.mark.parametrize(
    "answer", [{}, {"authorizationData": []}, {"authorizationData": [{"authorizationToken": "%%"}]}]
)
def test_a_token_that_cannot_be_read_is_a_refusal(answer):
    """No token, no login: never an empty password."""
    with pytest.raises(AwsRefused, match="GetAuthorizationToken cannot be read"):
        read_login(answer)


@pytest.fixture
def blobs():
    """A registry's /v2/ that answers what the test says, and the login for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        status, body = 200, b""

        def do_GET(self):
            self.send_response(type(self).status)
            self.send_header("Content-Length", str(len(type(self).body)))
            self.end_headers()
            self.wfile.write(type(self).body)

        def log_message(self, *_):
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    yield Handler, Login(endpoint, "AWS", "secret", datetime(2030, 1, 1, tzinfo=UTC))
    server.shutdown()
    server.server_close()


def test_a_blob_is_held_against_its_digest(blobs):
    """Other bytes than the digest names, too many bytes, or a refusal: each is said."""
    handler, login = blobs
    handler.body = b'{"os": "linux"}'
    digest = "sha256:" + hashlib.sha256(handler.body).hexdigest()
    assert fetch_blob(login, NAME, digest) == handler.body
    with pytest.raises(AwsRefused, match="another digest"):
        fetch_blob(login, NAME, "sha256:" + "0" * 64)
    handler.body = b"x" * (5 * 1024 * 1024)
    with pytest.raises(AwsRefused, match="more than"):
        fetch_blob(login, NAME, digest)
    handler.status, handler.body = 403, b""
    with pytest.raises(AwsRefused, match="403") as refusal:
        fetch_blob(login, NAME, digest)
    assert "ecr:GetDownloadUrlForLayer" in refusal.value.remedy
    assert "secret" not in str(refusal.value)


def test_what_tells_a_signature_from_an_image_is_read_as_far_as_it_can_be_had(registry, ecr):
    """The manifests that are there, and the payloads of signatures by cosign; what is refused is missing, no crash."""
    layer = {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": sha("payload"), "size": 7}
    kind = "application/vnd.oci.image.manifest.v1+json"
    signature = registry.put(json.dumps({"config": {}, "layers": [layer]}), "signature", kind)
    other = registry.put(image_manifest(), "v1")
    ecr._blob = {sha("payload"): b"speaks"}.__getitem__
    looked = ecr.look_at([signature, other, sha("gone")])
    assert set(looked.manifests) == {signature, other}
    assert looked.blobs == {sha("payload"): "speaks"}

    def refuse(_digest):
        raise AwsRefused("The registry does not hand it out")

    ecr._blob = refuse
    assert ecr.look_at([signature]).blobs == {}
