"""The release client against the local target: a real engine, a real registry, ECR's rules, enforced permissions."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import docker
import pytest

from gate.aws.calls import CallLog
from gate.aws.retry import TimeSource
from gate.check import ACCEPTED, BlockedByEarlierFailure, NoGo, reject, require
from gate.errors import AwsRefused
from gate.legacy.snapshot import FunctionSnapshot, check_untouched
from gate.publish.promotion_checks import check_trial
from gate.publish.publication import CheckedImage
from gate.publish.push_and_promote import Publisher
from gate.publish.release_client import ReleaseClient
from gate.registry.changes import Comparison
from gate.registry.manifest import check_admission, check_bytes, check_same_config
from gate.registry.permitted_calls import check_changes, check_zip_calls
from gate.registry.pull import Login
from gate.registry.push import PAUSES, push
from gate.registry.repository_checks import check_active, check_identity, check_otherwise_unchanged
from gate.registry.tags import ExclusionFilter, Mutability, can_move, check_same_digest
from gate.release import Release
from localaws.target import LocalTarget
from tests.local_target.fault_proxy import ALWAYS, FaultInjectingProxy, InjectedFault
from tests.registry.conftest import recording
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker
TAGS = ("v1.0.0", "latest", "candidate")


@pytest.fixture(scope="module")
def engine():
    """The Docker engine's API."""
    client = docker.APIClient(timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """The local target with a state of its own."""
    with LocalTarget(SEEDED, state=tmp_path_factory.mktemp("localaws")) as running:
        yield running


def made(engine, content):
    """A small image that no one has seen before; the test takes it away."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    answer = engine.import_image_from_data(buffer.getvalue(), repository=f"release-gate-test:{content.decode()}")
    held = engine.inspect_image(json.loads(answer.splitlines()[-1])["status"])
    return CheckedImage(held["Id"], held["Id"], f"{held['Os']}/{held['Architecture']}", held["Size"])


@pytest.fixture(scope="module")
def images(engine):
    """Two images."""
    both = [made(engine, name) for name in (b"first", b"second")]
    yield both
    for name in ("first", "second"):
        engine.remove_image(f"release-gate-test:{name}", force=True)


def release(**changed):
    """The release that the local target was made for."""
    unused = dict.fromkeys(Release.__dataclass_fields__, "")
    stated = {
        "account": SEEDED.account,
        "region": SEEDED.region,
        "repository": SEEDED.repository,
        "release_tag": "v1.0.0",
        "rolling_tag": "latest",
        "candidate_tag": "candidate",
        "zip_function": SEEDED.zip_function,
    }
    return Release(**{**unused, **stated, **changed})


class Run:
    """A release client and what it told."""

    def __init__(self, engine, target, role=SEEDED.ci_role, endpoint="", **changed):
        self.steps, self.said, self.secrets, self.call_log = [], [], [], CallLog()
        self.release_client = ReleaseClient(
            target.session(role),
            release(**changed),
            self.call_log,
            engine=engine,
            say=self.said.append,
            learn=self.secrets.extend,
            allow_destructive=True,
            endpoint=endpoint or target.endpoint,
        )

    def publish(self, image, kept, holds=ACCEPTED, scan=ACCEPTED):
        """Release an image with these answers to AC1, AC6 and the scan."""
        publisher = Publisher(recording(self.steps), self.release_client)
        publisher.prepare(image, kept)
        self._admit(holds)
        pushed = publisher.push(image)
        require(scan)
        return publisher.promote(pushed)

    def _admit(self, holds):
        if not holds.accepted:
            raise BlockedByEarlierFailure("nothing was pushed", holds.rejections)


@pytest.fixture(scope="module")
def first(engine, target, images, tmp_path_factory):
    """The first release, as the CI role."""
    run = Run(engine, target)
    kept = tmp_path_factory.mktemp("evidence") / "zip-baseline.json"
    before = _docker_configuration()
    publication = run.publish(images[0], kept)
    assert _docker_configuration() == before, "the login is in memory only"
    return run, publication, kept


def _docker_configuration():
    path = Path.home() / ".docker" / "config.json"
    return path.read_bytes() if path.exists() else None


def test_a_release_is_pushed_read_back_and_accepted_by_every_check(first, images):
    """All of AC2's checks say yes to what the registry really holds."""
    run, publication, _ = first
    ecr, now = run.release_client.ecr, run.release_client.ecr.snapshot()
    manifest = ecr.manifest(publication.digest)
    assert check_identity(now.repository, SEEDED.account, SEEDED.region, SEEDED.repository).accepted
    assert check_same_digest(now.naming(), TAGS, publication.digest).accepted
    assert check_active(publication.image, "v1.0.0").accepted
    assert check_bytes(manifest).accepted
    assert check_same_config(manifest, images[0].config_digest).accepted
    assert check_admission(manifest, ecr.config(manifest).platform).accepted
    assert check_otherwise_unchanged(Comparison(publication.before, now, TAGS, publication.digest)).accepted
    assert publication.compressed_bytes > 0
    assert publication.pushed_at > publication.before.repository.created_at.isoformat()


def test_the_ledger_of_a_real_release_is_allowed_and_names_what_it_did(first):
    """Pushes, tags and scans in the release's repository, and nothing near the zip function."""
    run, _, _ = first
    assert check_changes(run.call_log.calls, SEEDED.repository).accepted
    assert check_zip_calls(run.call_log.calls, SEEDED.zip_function).accepted
    assert {"GetFunction", "DescribeRule", "PutImage", "UploadLayerPart"} <= {
        call.operation for call in run.call_log.calls
    }


def test_the_registry_really_refused_to_overwrite_the_release_tag(first):
    """Tried with another manifest under the same tag."""
    _, publication, _ = first
    assert publication.overwrite_trial.made
    assert check_trial(publication.overwrite_trial, "v1.0.0").accepted


def test_no_password_is_told_and_every_password_is_learnt(first):
    """What stands in steps and progress holds no secret that was issued."""
    run, _, _ = first
    told = json.dumps([vars(step) for step in run.steps]) + "\n".join(run.said)
    assert run.secrets
    assert not [secret for secret in run.secrets if secret in told]


def test_the_baseline_is_on_disk_and_the_zip_function_is_untouched(first):
    """Kept before the push, equal after it."""
    run, publication, kept = first
    assert FunctionSnapshot.load(kept) == publication.legacy_before
    assert check_untouched(publication.legacy_before, run.release_client.zip_function.snapshot()).accepted


def test_the_engine_keeps_no_name_of_the_registry(first, engine, images):
    """The local tag for the push is taken away again."""
    names_left = engine.inspect_image(images[0].image)["RepoTags"]
    assert names_left == ["release-gate-test:first"]


def test_a_second_run_pushes_nothing(first, engine, target, images, tmp_path):
    """The image is found by its config, whatever tag it is behind."""
    again = Run(engine, target)
    publication = again.publish(images[0], tmp_path / "baseline.json")
    assert publication.digest == first[1].digest
    assert not [call for call in again.call_log.calls if call.operation == "UploadLayerPart"]


def test_another_image_is_a_no_go_with_both_identities(first, engine, target, images, tmp_path):
    """v1.0.0 stays; nothing was pushed."""
    run = Run(engine, target)
    with pytest.raises(NoGo) as refusal:
        run.publish(images[1], tmp_path / "baseline.json")
    for words in (first[1].digest, images[0].config_digest, images[1].config_digest, "--release-tag v1.0.1"):
        assert words in str(refusal.value)
    assert not [call for call in run.call_log.calls if call.changes_something]


def test_a_bad_image_is_not_pushed_and_a_vulnerable_one_is_not_tagged(first, engine, target, images, tmp_path):
    """AC1 and AC6 stop before the push, the scan before the tags."""
    run = Run(engine, target, release_tag="v1.0.1")
    with pytest.raises(BlockedByEarlierFailure, match="no Chromedriver"):
        run.publish(images[1], tmp_path / "baseline.json", holds=reject("no Chromedriver", "the image", "install it"))
    assert not [call for call in run.call_log.calls if call.changes_something]
    with pytest.raises(NoGo, match="CVE-2025-1"):
        run.publish(images[1], tmp_path / "baseline.json", scan=reject("CVE-2025-1", "the scan", "fix it"))
    naming = run.release_client.ecr.snapshot().naming()
    assert naming["candidate"] != naming["latest"] == naming["v1.0.0"] == first[1].digest
    assert "v1.0.1" not in naming


def test_a_role_that_may_not_push_is_told_so(first, engine, target, images, tmp_path):
    """The developer may look; the first thing missing is named with its permission."""
    run = Run(engine, target, SEEDED.developer, release_tag="v1.0.2")
    with pytest.raises(AwsRefused) as refusal:
        run.publish(images[1], tmp_path / "baseline.json")
    assert "lambda:GetFunctionConfiguration" in str(refusal.value)
    login = run.release_client.ecr.login()
    patience = TimeSource(monotonic=lambda: 0.0, sleep=lambda _s: None)
    with pytest.raises(AwsRefused) as refusal:
        push(engine, images[1].image, login, SEEDED.repository, "candidate", run.said.append, patience)
    assert "denied" in refusal.value.cause
    assert "grant the pushing role" in refusal.value.remedy


def test_a_wrong_password_is_refused_at_once(first, engine, target, images):
    """Authentication errors of the real registry are not tried again."""
    run, slept = Run(engine, target), []
    patience = TimeSource(monotonic=lambda: 0.0, sleep=slept.append)
    login = replace(run.release_client.ecr.login(), password="wrong")
    with pytest.raises(AwsRefused, match=r"basic auth|unauthorized|denied|expired|authorization"):
        push(engine, images[0].image, login, SEEDED.repository, "candidate", run.said.append, patience)
    assert slept == []


def test_what_is_published_can_be_verified_by_a_run_that_changes_nothing(first, engine, target, images):
    """Pulled by digest, decided by its config; the call log holds no change."""
    run = Run(engine, target)
    digest = run.release_client.published_digest()
    image = run.release_client.pull(digest)
    publication = run.release_client.verify(digest, images[0])
    assert engine.inspect_image(image)["RootFS"] == engine.inspect_image(images[0].image)["RootFS"]
    engine.remove_image(f"{target.registry}/{SEEDED.repository}@{digest}", noprune=True)
    assert digest == first[1].digest
    assert check_admission(publication.manifest, publication.platform).accepted
    assert publication.before is None
    assert not [call for call in run.call_log.calls if call.changes_something]


def test_nothing_published_is_a_no_go(first, engine, target):
    """A verification of a tag that names nothing says so."""
    with pytest.raises(AwsRefused, match=r"'v7.0.0' names nothing"):
        Run(engine, target, release_tag="v7.0.0").release_client.published_digest()


def test_an_unknown_repository_is_a_no_go(engine, target):
    """The name is given, and what to do."""
    with pytest.raises(AwsRefused, match="the repository no-such-repository"):
        Run(engine, target, repository="no-such-repository").release_client.ecr.describe()


SETTINGS = [
    Mutability("MUTABLE"),
    Mutability("IMMUTABLE"),
    *(
        Mutability(name, tuple(ExclusionFilter("WILDCARD", each) for each in patterns))
        for name in ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
        for patterns in (("latest", "candidate"), ("l*",), ("*est", "v9*"), ("v*.*",), ("lates",))
    ),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_the_check_of_mutability_agrees_with_a_registry_that_is_tried(first, engine, target, setting):
    """Under each setting, putting another manifest under a tag works exactly where the check says it can move."""
    run = Run(engine, target, SEEDED.administrator)
    ecr, client = run.release_client.ecr, run.release_client.client("ecr")
    named = {"repositoryName": SEEDED.repository}
    filters = [{"filterType": each.kind, "filter": each.pattern} for each in setting.exclusions]
    before, naming = ecr.describe().mutability, ecr.snapshot().naming()
    manifest = ecr.manifest(first[1].digest)
    body = manifest.body + " "
    other = replace(manifest, body=body, digest="sha256:" + hashlib.sha256(body.encode()).hexdigest())
    more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    try:
        client.put_image_tag_mutability(**named, imageTagMutability=setting.setting, **more)
        for tag in ("v1.0.0", "latest"):
            assert moved(ecr, other, tag) == can_move(setting, tag), tag
    finally:
        kept = [{"filterType": each.kind, "filter": each.pattern} for each in before.exclusions]
        client.put_image_tag_mutability(**named, imageTagMutability="MUTABLE")
        for tag in ("v1.0.0", "latest"):
            if ecr.snapshot().naming()[tag] != naming[tag]:
                ecr.put_tag(manifest, tag)
        restored = {"imageTagMutability": before.setting, "imageTagMutabilityExclusionFilters": kept}
        client.put_image_tag_mutability(**named, **restored)


def moved(ecr, manifest, tag):
    """Whether the registry lets the tag be moved."""
    try:
        return ecr.put_tag(manifest, tag) == manifest.digest
    except AwsRefused as refusal:
        assert "ImageTagAlreadyExistsException" in refusal.cause  # noqa: PT017 - any other refusal is no answer
        return False


UNWELL = {
    "500": InjectedFault(status=500),
    "429": InjectedFault(status=429),
    "garbage": InjectedFault(status=502, body=b"<html>\x1b[2J\xff half a bo", content_type="text/html"),
    "nothing": InjectedFault(reset=True),
}


@pytest.mark.parametrize("fault", UNWELL.values(), ids=UNWELL)
def test_a_registry_that_is_unwell_when_the_manifest_comes_holds_no_tag(engine, target, images, fault):
    """All layers arrive, and what would name the image does not: tried again, then a refusal with the cause."""
    slept = []
    with FaultInjectingProxy(
        target.registry, [replace(fault, method="PUT", path="/manifests/", times=ALWAYS)]
    ) as proxy:
        login = Run(engine, target, endpoint=proxy.endpoint).release_client.ecr.login()
        assert login.endpoint == proxy.endpoint
        with pytest.raises(AwsRefused, match=r"did not take the push|refused the push") as refusal:
            push(
                engine,
                images[1].image,
                login,
                SEEDED.repository,
                "unwell",
                print,
                TimeSource(monotonic=lambda: 0.0, sleep=slept.append),
            )
    assert slept == list(PAUSES)
    assert all(line.isprintable() for line in str(refusal.value).split("\n"))
    assert "unwell" not in Run(engine, target).release_client.ecr.snapshot().naming()


class Unwell(http.server.BaseHTTPRequestHandler):
    """A registry that lets the engine in and refuses every upload with one of ECR's errors."""

    status, code, message = 429, "TOOMANYREQUESTS", "Rate exceeded"

    def do_GET(self):
        """The login."""
        self._send(200, b"{}")

    def do_HEAD(self):
        """No layer is there."""
        self._send(404, b"")

    def do_POST(self):
        """An upload begins, and is refused."""
        error = {"code": self.code, "message": self.message}
        self._send(self.status, json.dumps({"errors": [error]}).encode())

    def _send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@pytest.mark.parametrize(
    ("status", "code", "message", "attempts"),
    [
        (429, "TOOMANYREQUESTS", "Rate exceeded", 4),
        (403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.", 1),
    ],
    ids=["throttling", "expired token"],
)
def test_the_engines_own_words_for_a_refusal_are_understood(engine, images, status, code, message, attempts):
    """Throttling is tried four times, an expired token once; both end in a sentence with the registry's words."""
    handler = type("Handler", (Unwell,), {"status": status, "code": code, "message": message})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    login = Login(f"http://127.0.0.1:{server.server_port}", "AWS", "x", datetime(2030, 1, 1, tzinfo=UTC))
    slept = []
    try:
        with pytest.raises(AwsRefused, match=message):
            push(
                engine,
                images[0].image,
                login,
                "r",
                "candidate",
                print,
                TimeSource(monotonic=lambda: 0.0, sleep=slept.append),
            )
    finally:
        server.shutdown()
        server.server_close()
    assert len(slept) == attempts - 1
