# ruff: noqa: N802, N803, D102 - the methods below are ECR's operations, under ECR's names
"""A registry in memory that speaks ECR's wire protocol through botocore itself, and an engine that pushes to it."""

import base64
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.validate import ParamValidator

from gate.aws.calls import CallLog
from gate.aws.retry import TimeSource
from gate.check import ACCEPTED, BlockedByEarlierFailure, require
from gate.legacy.snapshot import FunctionSnapshot
from gate.publish.promotion_checks import AwsCaller, ReleaseTags
from gate.publish.publication import CheckedImage, Publication
from gate.publish.push_and_promote import Publisher
from gate.registry.ecr import EcrRepository
from gate.registry.push import push

ACCOUNT, REGION, NAME = "654654307503", "ap-northeast-2", "naver-sms-automation"
NOW = datetime(2025, 10, 18, 12, tzinfo=UTC)
_MODELS = botocore.loaders.create_loader()  # read once, not once a test
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def sha(text):
    """The digest of a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def image_manifest(config="config", layers=("base", "app")):
    """A Docker manifest, as text, and its config's digest."""
    blob = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 10, "digest": sha(config)}
    kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    stacked = [{"mediaType": kind, "size": 100, "digest": sha(layer)} for layer in layers]
    return json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": blob, "layers": stacked})


class MemoryEcr:
    """ECR's answers for one repository; every answer is validated against botocore's model before it is sent."""

    def __init__(self):
        self.manifests = {}  # digest → (media type, body, pushed at)
        self.tags = {}
        self.setting = {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [
                {"filterType": "WILDCARD", "filter": "latest"},
                {"filterType": "WILDCARD", "filter": "candidate"},
            ],
        }
        self.lifecycle = None
        self.calls = []
        self.faults = {}  # operation → list of (status, code) to answer first
        self.page_size = 2
        self.pushed = 0
        self.model = None

    def put(self, body, tag=None, media_type=DOCKER):
        """Hold a manifest, as a finished push leaves it."""
        self.pushed += 1
        digest = sha(body)
        self.manifests.setdefault(digest, (media_type, body, NOW + timedelta(seconds=self.pushed)))
        if tag:
            self.tags[tag] = digest
        return digest

    def client(self, call_log=None):
        """A real boto3 client whose requests end here."""
        core = botocore.session.get_session()
        core.register_component("data_loader", _MODELS)
        core.set_credentials("AKIAEXAMPLE", "secret")
        session = boto3.Session(botocore_session=core, region_name=REGION)
        if call_log:
            call_log.attach(session)
        client = session.client(
            "ecr", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 6})
        )
        client.meta.events.register("before-send.ecr", self._answer)
        self.model = client.meta.service_model
        return client

    def _answer(self, request, **_):
        operation = request.headers["X-Amz-Target"].decode().rsplit(".", 1)[-1]
        asked = json.loads(request.body)
        self.calls.append((operation, asked))
        if self.faults.get(operation):
            status, code = self.faults[operation].pop(0)
            return self._send(request, status, {"__type": code, "message": f"{code} said the registry"})
        status, answer = getattr(self, operation)(**asked)
        if status == 200:
            self._validate(operation, answer)
        return self._send(request, status, answer)

    def _validate(self, operation, answer):
        shape = self.model.operation_model(operation).output_shape
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), report.generate_report()

    def _send(self, request, status, answer):
        body = json.dumps(answer, default=lambda value: value.timestamp()).encode()
        raw = io.BytesIO(body)
        raw.stream = lambda *_a, **_k: iter([body])
        return AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.1"}, raw)

    def DescribeRepositories(self, **_):
        uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}"
        found = {"repositoryArn": arn, "registryId": ACCOUNT, "repositoryName": NAME, "repositoryUri": uri}
        return 200, {"repositories": [{**found, "createdAt": NOW, **self.setting}]}

    def DescribeImages(self, filter, nextToken="0", **_):
        assert filter == {"imageStatus": "ANY"}
        details = [
            {
                "imageDigest": digest,
                "imageTags": [tag for tag, named in self.tags.items() if named == digest],
                "imageSizeInBytes": 210,
                "imagePushedAt": at,
                "imageManifestMediaType": kind,
                "imageStatus": "ACTIVE",
            }
            for digest, (kind, _, at) in self.manifests.items()
        ]
        start, end = int(nextToken), int(nextToken) + self.page_size
        more = {"nextToken": str(end)} if end < len(details) else {}
        return 200, {"imageDetails": details[start:end], **more}

    def ListTagsForResource(self, **_):
        return 200, {"tags": [{"Key": "Project", "Value": NAME}]}

    def GetLifecyclePolicy(self, **_):
        if self.lifecycle is None:
            return 400, {"__type": "LifecyclePolicyNotFoundException", "message": "none"}
        return 200, {"lifecyclePolicyText": self.lifecycle}

    def GetRepositoryPolicy(self, **_):
        return 400, {"__type": "RepositoryPolicyNotFoundException", "message": "none"}

    def GetAuthorizationToken(self, **_):
        token = base64.b64encode(b"AWS:password").decode()
        data = {"authorizationToken": token, "expiresAt": NOW, "proxyEndpoint": "http://127.0.0.1:9"}
        return 200, {"authorizationData": [data]}

    def BatchGetImage(self, imageIds, acceptedMediaTypes, **_):
        digest = imageIds[0]["imageDigest"]
        if digest not in self.manifests:
            failure = {"imageId": imageIds[0], "failureCode": "ImageNotFound", "failureReason": "no such image"}
            return 200, {"images": [], "failures": [failure]}
        kind, body, _ = self.manifests[digest]
        assert kind in acceptedMediaTypes
        found = {"imageId": {"imageDigest": digest}, "imageManifest": body, "imageManifestMediaType": kind}
        return 200, {"images": [found], "failures": []}

    def PutImage(self, imageManifest, imageTag, imageManifestMediaType, **_):
        digest, held = sha(imageManifest), self.tags.get(imageTag)
        movable = {each["filter"] for each in self.setting.get("imageTagMutabilityExclusionFilters", [])}
        if held == digest:
            return 400, {"__type": "ImageAlreadyExistsException", "message": "it is there already"}
        if held and self.setting["imageTagMutability"].startswith("IMMUTABLE") and imageTag not in movable:
            return 400, {"__type": "ImageTagAlreadyExistsException", "message": "the tag is immutable"}
        self.put(imageManifest, imageTag, imageManifestMediaType)
        return 200, {"image": {"imageId": {"imageDigest": digest, "imageTag": imageTag}}}


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.slept = []

    def sleep(self, seconds):
        """Wait, at once."""
        self.slept.append(seconds)

    def clock(self):
        """Seconds."""
        return sum(self.slept)

    def now(self):
        """The time of day."""
        return NOW + timedelta(seconds=sum(self.slept))


class MemoryEngine:
    """A Docker engine whose push ends in the registry in memory.

    Attributes:
        scripts: what the next pushes answer instead of succeeding, one list of events (or an error to raise) each.
        body: the manifest that a successful push leaves.
        names: the image's names.
    """

    def __init__(self, registry, body):
        self.registry, self.body = registry, body
        self.scripts, self.pushes, self.names = [], [], ["naver-sms-automation:latest"]

    def inspect_image(self, image):
        """What the engine knows."""
        return {"Id": image, "RepoTags": list(self.names)}

    def tag(self, image, repository, tag):
        """Another name."""
        self.names.append(f"{repository}:{tag}")
        return True

    def remove_image(self, image, *, noprune):
        """One name fewer."""
        assert noprune
        self.names.remove(image)

    def push(self, repository, tag, *, stream, decode, auth_config):
        """Answer the script, or push."""
        self.pushes.append((repository, tag, auth_config))
        if self.scripts:
            script = self.scripts.pop(0)
            if isinstance(script, Exception):
                raise script
            return script
        digest = self.registry.put(self.body, tag)
        layer = {"id": "a1", "status": "Pushing", "progressDetail": {"current": 50_000_000, "total": 100_000_000}}
        return [layer, {"id": "a1", "status": "Pushed"}, {"aux": {"Tag": tag, "Digest": digest, "Size": 1}}]


def recording(steps):
    """A run that keeps each record of a step."""
    record = lambda _title, answer, **_: steps.append(SimpleNamespace(**answer))  # noqa: E731
    terminal = SimpleNamespace(progress=lambda _line: None)
    return SimpleNamespace(target="local", store=SimpleNamespace(record=record), terminal=terminal)


class Rehearsal:
    """A publisher over registry and engine in memory, with every condition in the test's hands."""

    def __init__(self, folder):
        self.folder = folder
        self.registry, self.time, self.call_log = MemoryEcr(), FakeTime(), CallLog(now=lambda: NOW)
        self.body = image_manifest()
        self.engine = MemoryEngine(self.registry, self.body)
        self.image = CheckedImage(sha("config"), sha("config"), "linux/amd64", 1_000_000)
        self.caller = AwsCaller(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run", REGION)
        self.holds, self.clean, self.allow_destructive = ACCEPTED, ACCEPTED, False
        self.asked, self.told, self.said = [], [], []
        self.ecr = EcrRepository(self.registry.client(self.call_log), ACCOUNT, NAME)
        self.ecr._blob = lambda _digest: b'{"os": "linux", "architecture": "amd64"}'
        self.baseline = FunctionSnapshot(
            "arn:aws:lambda:r:a:function:zip", NOW.isoformat(), {"configuration": {"a": 1}}
        )

    def publisher(self, release_tag="v1.0.0"):
        """A publisher with a release log of its own."""
        release = SimpleNamespace(account=ACCOUNT, region=REGION, repository=NAME, zip_function="zip")
        client = SimpleNamespace(
            ecr=self.ecr,
            release=release,
            tags=ReleaseTags(release_tag, "latest", "candidate"),
            caller=self.caller,
            push=self._push,
            zip_function=SimpleNamespace(snapshot=self._legacy),
            verify=self._verify,
            time=TimeSource(self.time.now, self.time.clock, self.time.sleep),
            allow_destructive=self.allow_destructive,
        )
        return Publisher(recording(self.told), client)

    def publish(self, release_tag="v1.0.0"):
        """The release in the order of a run: push, scan, promote."""
        publisher = self.publisher(release_tag)
        publisher.prepare(self.image, self.folder / "baseline.json")
        self._admit()
        pushed = publisher.push(self.image)
        require(self._scan(pushed.digest))
        return publisher.promote(pushed)

    def promote(self, accepted):
        """An accepted release is looked up, scanned and given the rolling tag."""
        publisher = self.publisher(accepted.tag)
        found = publisher.look_up(self.image, accepted, self.folder / "baseline.json")
        require(self._scan(found.digest))
        return publisher.promote(found)

    def _verify(self, digest, image):
        manifest = self.ecr.manifest(digest)
        return Publication(digest, manifest, "linux/amd64", image.config_digest, 1_000_000, self.ecr.snapshot())

    def _push(self, image, login, tag):
        self.asked.append("push")
        timing = TimeSource(monotonic=self.time.clock, sleep=self.time.sleep)
        return push(self.engine, image, login, NAME, tag, self.said.append, timing)

    def _legacy(self):
        self.asked.append("legacy")
        return self.baseline

    def _admit(self):
        self.asked.append("holds")
        if not self.holds.accepted:
            raise BlockedByEarlierFailure("nothing was pushed", self.holds.rejections)

    def _scan(self, digest):
        self.asked.append(f"scan {digest}")
        return self.clean


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Botocore's own pauses between retries take no time here."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.fixture
def rehearsal(tmp_path):
    """A fresh rehearsal of a release."""
    return Rehearsal(tmp_path)


@pytest.fixture
def registry():
    """An empty registry in memory."""
    return MemoryEcr()
