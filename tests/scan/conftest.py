"""An ECR and Inspector that say what a test scripts, over HTTP and in the wire shapes that botocore knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator

from gate.aws.retry import TimeSource
from gate.scan.reader import ScanReader

DIGEST = "sha256:" + "ab" * 32
REPOSITORY = "naver-sms-automation"
# Inspector's operations by their paths; ECR names its operation in a header.
_INSPECTOR = {"/coverage/list": "ListCoverage", "/findings/list": "ListFindings"}
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class FakeTime:
    """A clock that a sleep moves on."""

    at: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Move on without waiting."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def keeper(self) -> TimeSource:
        """For the code under test."""
        return TimeSource(lambda: self.at, lambda: self.at.timestamp(), self.sleep)  # noqa: PLW0108  # `at` is replaced


@dataclass(frozen=True)
class Refusal:
    """An error answer, as AWS's JSON protocols write it."""

    code: str
    message: str = "refused"
    status: int = 400


@dataclass(frozen=True)
class Garbage:
    """A body that is no JSON at all."""

    status: int = 200


Answer = dict[str, Any] | Refusal | Garbage | Callable[[dict[str, Any]], dict[str, Any]]


class FakeAws:
    """Scripted answers by operation; the last one repeats."""

    def __init__(self) -> None:
        self.script: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._models = {name: botocore.session.get_session().get_service_model(name) for name in ("ecr", "inspector2")}

    def says(self, operation: str, *answers: Answer) -> None:
        """Script the answers of an operation; each must have the shape that botocore's model gives it."""
        for answer in answers:
            if isinstance(answer, dict):
                self.check(operation, answer)
        self.script[operation] = list(answers)

    def check(self, operation: str, answer: dict[str, Any]) -> None:
        """Hold an answer against the service model: unknown members and wrong types fail the test."""
        model = self._models["inspector2" if operation in _INSPECTOR.values() else "ecr"]
        report = ParamValidator().validate(answer, model.operation_model(operation).output_shape)
        assert not report.has_errors(), report.generate_report()

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, bytes, str]:
        """What the server sends."""
        self.asked.append((operation, request))
        queue = self.script.get(operation) or [Refusal("UnknownOperationException", f"not scripted: {operation}")]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer):
            answer = answer(request)
            self.check(operation, answer)
        if isinstance(answer, Garbage):
            return answer.status, b"<html>half a bo", ""
        if isinstance(answer, Refusal):
            return answer.status, json.dumps({"__type": answer.code, "message": answer.message}).encode(), answer.code
        return 200, json.dumps(answer).encode(), ""

    def count(self, operation: str) -> int:
        """How often an operation was asked."""
        return sum(asked == operation for asked, _ in self.asked)


@pytest.fixture(scope="session")
def service() -> Iterator[tuple[FakeAws, dict[str, Any]]]:
    """The scripted services, listening on loopback, and real boto3 clients of them."""
    fake = FakeAws()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            target = self.headers.get("X-Amz-Target", "")
            operation = target.rpartition(".")[2] or _INSPECTOR[self.path]
            status, raw, code = fake.answer(operation, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(raw)))
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield fake, {name: client(name, url) for name in ("ecr", "inspector2")}
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def aws(service: tuple[FakeAws, dict[str, Any]]) -> FakeAws:
    """The scripted services, with nothing scripted and nothing asked."""
    service[0].script.clear()
    service[0].asked.clear()
    return service[0]


@pytest.fixture
def time() -> FakeTime:
    """Noon, and a sleep that takes no time."""
    return FakeTime()


@pytest.fixture
def new_scanner(service: tuple[FakeAws, dict[str, Any]], time: FakeTime) -> Callable[[], ScanReader]:
    """Makes readers, as each run makes one, on real boto3 clients of the scripted services."""

    def make() -> ScanReader:
        told: list[str] = []
        ecr, inspector = service[1]["ecr"], service[1]["inspector2"]
        reader = ScanReader(ecr, inspector, REPOSITORY, time=time.keeper(), progress=told.append)
        reader.told = told  # type: ignore[attr-defined]
        return reader

    return make


@pytest.fixture
def scanner(aws: FakeAws, new_scanner: Callable[[], ScanReader]) -> ScanReader:
    """A reader under basic scanning of an image that both tags name."""
    configure(aws)
    aws.says("StartImageScan", {"imageScanStatus": {"status": "IN_PROGRESS"}})
    aws.says("DescribeImages", {"imageDetails": [{"imageDigest": DIGEST, "imageTags": ["v1.0.0", "latest"]}]})
    return new_scanner()


def client(service: str, url: str) -> Any:
    """A real client of the scripted service; retries are the reader's own business."""
    return boto3.client(
        service,
        region_name="ap-northeast-2",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def configure(
    aws: FakeAws, mode: str = "BASIC", frequency: str = "SCAN_ON_PUSH", filters: tuple[str, ...] = ("*",)
) -> None:
    """Script the scanning configuration."""
    applied = [{"filter": each, "filterType": "WILDCARD"} for each in filters]
    aws.says("GetRegistryScanningConfiguration", {"scanningConfiguration": {"scanType": mode, "rules": []}})
    own = {"repositoryName": REPOSITORY, "scanOnPush": frequency == "SCAN_ON_PUSH", "scanFrequency": frequency}
    aws.says(
        "BatchGetRepositoryScanningConfiguration",
        {"scanningConfigurations": [{**own, "appliedScanFilters": applied}], "failures": []},
    )


def inspected(aws: FakeAws, status: str = "ACTIVE", reason: str = "SUCCESSFUL") -> None:
    """Script Inspector's coverage of the image."""
    covered = {
        "resourceType": "AWS_ECR_CONTAINER_IMAGE",
        "resourceId": f"arn:aws:ecr:ap-northeast-2:654654307503:repository/{REPOSITORY}/{DIGEST}",
        "accountId": "654654307503",
        "scanType": "PACKAGE",
        "scanStatus": {"statusCode": status, "reason": reason},
    }
    aws.says("ListCoverage", {"coveredResources": [covered]})


def basic(id: str = "CVE-2024-0001", severity: str = "LOW", **more: Any) -> dict[str, Any]:
    """A basic finding in ECR's shape."""
    attributes = {"package_name": "zlib1g", "package_version": "1.2.13", **more.pop("attributes", {})}
    listed = [{"key": key, "value": value} for key, value in attributes.items()]
    return {"name": id, "severity": severity, "description": "d", "uri": "https://e.org", "attributes": listed, **more}


def enhanced(id: str = "CVE-2024-0002", severity: str = "LOW", **more: Any) -> dict[str, Any]:
    """An enhanced finding in ECR's shape."""
    package = {"name": "urllib3", "version": "1.26.0", "packageManager": "PYTHONPKG", "fixedInVersion": "1.26.17"}
    details = {"vulnerabilityId": id, "sourceUrl": "https://e.org", "vulnerablePackages": [package]}
    found = {
        "severity": severity,
        "status": "ACTIVE",
        "title": f"{id} - urllib3",
        "score": 5.0,
        "type": "PACKAGE_VULNERABILITY",
    }
    return {**found, "packageVulnerabilityDetails": details, **more}


def page(
    *findings: dict[str, Any],
    status: str = "COMPLETE",
    token: str = "",
    at: datetime = NOON - timedelta(minutes=1),
    counts: dict[str, int] | None = None,
    digest: str = DIGEST,
) -> dict[str, Any]:
    """A page of DescribeImageScanFindings; findings go to the list of their kind."""
    if counts is None:
        counts = {}
        for each in findings:
            counts[each["severity"]] = counts.get(each["severity"], 0) + 1
    held: dict[str, Any] = {
        "imageScanCompletedAt": at.timestamp(),
        "vulnerabilitySourceUpdatedAt": at.timestamp() - 3600,
        "findingSeverityCounts": counts,
    }
    if any("name" in each for each in findings) or not findings:
        held["findings"] = [each for each in findings if "name" in each]
    if any("name" not in each for each in findings):
        held["enhancedFindings"] = [each for each in findings if "name" not in each]
    answer = {"repositoryName": REPOSITORY, "imageId": {"imageDigest": digest}, "imageScanStatus": {"status": status}}
    return {**answer, "imageScanFindings": held, **({"nextToken": token} if token else {})}


def waiting(status: str = "IN_PROGRESS") -> dict[str, Any]:
    """An answer without findings yet."""
    return {"imageId": {"imageDigest": DIGEST}, "imageScanStatus": {"status": status}}
