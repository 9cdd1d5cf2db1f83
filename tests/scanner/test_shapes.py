"""What the scanner finds has the shape that ECR answers with."""

import json
from dataclasses import asdict
from typing import Any

import botocore.session
import pytest
from botocore.parsers import JSONParser
from botocore.validate import ParamValidator

from localaws.ecr.findings import PackageVulnerability, as_inspector, basic, counts, enhanced
from localaws.scanner import SHIPPED
from localaws.scanner.database import read_advisories
from localaws.scanner.packages import DEBIAN, PYPI, Package
from localaws.scanner.scanner import findings_in

MODEL = botocore.session.get_session().get_service_model("ecr").operation_model("DescribeImageScanFindings")
PACKAGES = (
    Package("libwebp6", "0.6.1-2", DEBIAN, "12", "libwebp", "0.6.1-2"),
    Package("sqlite3", "3.40.1-1", DEBIAN, "12", "sqlite3", "3.40.1-1"),
    Package("gpgv", "2.2.40-1", DEBIAN, "12", "gnupg2", "2.2.40-1"),
    Package("PyYAML", "5.3", PYPI, "", "pyyaml", "5.3", "/var/task/PyYAML-5.3.dist-info/METADATA"),
)


def in_both_shapes() -> list[tuple[str, list[dict[str, Any]]]]:
    """The shipped advisories' findings in those packages, in ECR's two lists."""
    found = [asdict(finding) for finding in findings_in(PACKAGES, read_advisories([SHIPPED], PACKAGES))]
    resource = {"id": "arn:aws:ecr:x", "type": "AWS_ECR_CONTAINER_IMAGE"}
    one_by_one = [enhanced(each, "654654307503", "arn:aws:inspector2:x", resource, 1_790_000_000.0) for each in found]
    return [("findings", [basic(each) for each in found]), ("enhancedFindings", one_by_one)]


@pytest.mark.parametrize(("list_name", "findings"), in_both_shapes(), ids=["basic", "enhanced"])
def test_every_finding_passes_ecrs_own_model(list_name: str, findings: list[dict[str, Any]]) -> None:
    """The parser of botocore reads all of it, and its validator accepts it."""
    body = json.dumps({"imageScanFindings": {list_name: findings}}).encode()
    answer = {"status_code": 200, "headers": {}, "body": body}
    parsed = JSONParser().parse(answer, MODEL.output_shape)["imageScanFindings"]
    report = ParamValidator().validate({list_name: parsed[list_name]}, MODEL.output_shape.members["imageScanFindings"])
    assert not report.has_errors(), report.generate_report()
    assert json.loads(json.dumps(parsed[list_name], default=lambda moment: moment.timestamp())) == findings
    assert len(findings) == 7


def test_an_unrated_finding_has_the_severity_of_its_kind_of_scanning() -> None:
    """UNDEFINED in the basic list and its counts, UNTRIAGED in the enhanced ones; other severities stay."""
    unrated = asdict(PackageVulnerability("CVE-1", "UNDEFINED", "zlib1g", "1"))
    rated = {**unrated, "severity": "LOW"}
    assert basic(unrated)["severity"] == "UNDEFINED"
    told = [as_inspector(each) for each in (unrated, rated)]
    assert [enhanced(each, "1", "arn", {}, 1.0)["severity"] for each in told] == ["UNTRIAGED", "LOW"]
    assert counts(told) == {"UNTRIAGED": 1, "LOW": 1}
