"""Which addresses are AWS's own, in each partition; and that every client of a session is looked at."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from gate.aws.endpoint_recorder import EndpointRecorder
from gate.aws.endpoints import Endpoint, check_endpoints, check_recorded_clients
from gate.aws.partition import partition_of, registry_host, registry_hosts

ACCOUNT, SEOUL = "654654307503", "ap-northeast-2"
PREFIXES = {"ecr": "api.ecr", "cloudwatch": "monitoring"}
LINK = "vpce-0a1b2c3d4e5f60718-9abcdefg"
OURS = [
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com:443/"),
    ("ecr", SEOUL, "https://API.ECR.ap-northeast-2.amazonaws.com"),
    ("ecr", SEOUL, "https://ecr.ap-northeast-2.api.aws"),
    ("ecr", "us-east-1", "https://ecr-fips.us-east-1.amazonaws.com"),
    ("ecr", "us-east-1", "https://ecr-fips.us-east-1.api.aws"),
    ("ecr", "cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn"),
    ("ecr", "cn-northwest-1", "https://ecr.cn-northwest-1.api.amazonwebservices.com.cn"),
    ("ecr", "us-gov-west-1", "https://ecr-fips.us-gov-west-1.amazonaws.com"),
    ("ecr", "eusc-de-east-1", "https://api.ecr.eusc-de-east-1.amazonaws.eu"),
    ("ecr", "us-iso-east-1", "https://api.ecr.us-iso-east-1.c2s.ic.gov"),
    ("ecr", "us-isob-east-1", "https://api.ecr.us-isob-east-1.sc2s.sgov.gov"),
    ("iam", "aws-global", "https://iam.amazonaws.com"),
    ("iam", "aws-cn-global", "https://iam.cn-north-1.amazonaws.com.cn"),
    ("iam", "aws-us-gov-global", "https://iam.us-gov.amazonaws.com"),
    ("sts", SEOUL, "https://sts.ap-northeast-2.amazonaws.com"),
    ("sts", "us-west-2", "https://sts.amazonaws.com"),
    ("lambda", SEOUL, "https://lambda.ap-northeast-2.api.aws"),
    ("cloudwatch", SEOUL, "https://monitoring.ap-northeast-2.amazonaws.com"),
    ("inspector2", "us-east-1", "https://inspector2-fips.us-east-1.amazonaws.com"),
    ("ecr", SEOUL, f"https://{LINK}.api.ecr.ap-northeast-2.vpce.amazonaws.com"),
    ("ecr", SEOUL, f"https://{LINK}-ap-northeast-2a.api.ecr.ap-northeast-2.vpce.amazonaws.com"),
    ("lambda", "cn-north-1", f"https://{LINK}.lambda.cn-north-1.vpce.amazonaws.com.cn"),
    ("cloudtrail", "us-gov-west-1", f"https://{LINK}.cloudtrail.us-gov-west-1.vpce.amazonaws.com"),
]
FOREIGN = [
    ("ecr", SEOUL, "http://ec2-3-34-1-2.ap-northeast-2.compute.amazonaws.com:4566"),
    ("ecr", SEOUL, "https://ec2-3-34-1-2.ap-northeast-2.compute.amazonaws.com"),
    ("ecr", SEOUL, "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/ecr"),
    ("ecr", SEOUL, "https://internal-emulator-123.ap-northeast-2.elb.amazonaws.com"),
    ("sts", SEOUL, "https://abc.lambda-url.ap-northeast-2.on.aws"),
    ("sts", SEOUL, "https://bucket.s3.ap-northeast-2.amazonaws.com"),
    ("lambda", SEOUL, "https://abc.cloudfront.net"),
    ("ecr", SEOUL, "http://api.ecr.ap-northeast-2.amazonaws.com"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com:4566"),
    ("ecr", SEOUL, "https://user@api.ecr.ap-northeast-2.amazonaws.com"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com@emulator.example"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com.example"),
    ("ecr", SEOUL, "https://api.ecr.us-east-1.amazonaws.com"),
    ("ecr", SEOUL, "https://sts.ap-northeast-2.amazonaws.com"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com.cn"),
    ("ecr", "cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com"),
    ("ecr", "eusc-de-east-1", "https://api.ecr.eusc-de-east-1.amazonaws.com"),
    ("ecr", SEOUL, f"https://{LINK}.vpce-svc-0a1b2c3d4e5f60718.ap-northeast-2.vpce.amazonaws.com"),
    ("ecr", SEOUL, f"https://{LINK}.sts.ap-northeast-2.vpce.amazonaws.com"),
    ("ecr", SEOUL, f"https://{LINK}.api.ecr.us-east-1.vpce.amazonaws.com"),
    ("ecr", SEOUL, f"http://{LINK}.api.ecr.ap-northeast-2.vpce.amazonaws.com"),
    ("ecr", SEOUL, f"https://evil.{LINK}.api.ecr.ap-northeast-2.vpce.amazonaws.com"),
    ("ecr", SEOUL, "https://localhost.localstack.cloud:4566"),
    ("ecr", SEOUL, "http://127.0.0.1:5000"),
    ("ecr", SEOUL, "http://[::1]:5000"),
    ("ecr", SEOUL, "https://[::1"),
    ("ecr", SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com:port"),
    ("ecr", SEOUL, ""),
    ("no-such-service", SEOUL, "https://no-such-service.example"),
]
REGISTRIES = [
    (SEOUL, "https://654654307503.dkr.ecr.ap-northeast-2.amazonaws.com", True),
    (SEOUL, "https://654654307503.dkr-ecr.ap-northeast-2.on.aws", True),
    ("us-east-1", "https://654654307503.dkr.ecr-fips.us-east-1.amazonaws.com", True),
    ("us-gov-west-1", "https://654654307503.dkr-ecr-fips.us-gov-west-1.on.aws", True),
    ("cn-north-1", "https://654654307503.dkr.ecr.cn-north-1.amazonaws.com.cn", True),
    ("eusc-de-east-1", "https://654654307503.dkr.ecr.eusc-de-east-1.amazonaws.eu", True),
    (SEOUL, "http://654654307503.dkr.ecr.ap-northeast-2.amazonaws.com", False),
    (SEOUL, "https://111122223333.dkr.ecr.ap-northeast-2.amazonaws.com", False),
    (SEOUL, "https://654654307503.dkr.ecr.us-east-1.amazonaws.com", False),
    (SEOUL, "https://654654307503.dkr.ecr.ap-northeast-2.amazonaws.com.cn", False),
    (SEOUL, "https://api.ecr.ap-northeast-2.amazonaws.com", False),
    (SEOUL, "https://654654307503.dkr.ecr.ap-northeast-2.localhost.localstack.cloud:4510", False),
    (SEOUL, "http://127.0.0.1:5000", False),
    (SEOUL, "None", False),
]


def endpoint(service, region, url):
    """An endpoint as a client has it."""
    return Endpoint(service, region, url, PREFIXES.get(service, service))


@pytest.mark.parametrize("case", OURS, ids=lambda case: case[2])
def test_what_botocore_resolves_and_private_links_to_it_are_aws(case):
    """FIPS, dual stack, global services, and every partition."""
    assert endpoint(*case).is_aws


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: f"{case[0]} {case[2]}")
def test_whatever_else_is_not_whoever_owns_the_domain(case):
    """Rented hosts, other services, regions and partitions, other schemes and ports; the sentence names it."""
    found = endpoint(*case)
    assert not found.is_aws
    assert str(found).startswith(f"{case[0]} in {case[1]}: ")


@pytest.mark.parametrize(("region", "url", "is_aws"), REGISTRIES)
def test_the_registry_is_that_of_account_region_and_partition(region, url, is_aws):
    """What GetAuthorizationToken's proxyEndpoint may name."""
    assert Endpoint("ecr", region, url, registry_of=ACCOUNT).is_aws is is_aws


def test_a_sentence_shows_no_password():
    """An address may carry one."""
    said = str(endpoint("ecr", SEOUL, "https://user:hunter22@emulator.example:4566/path?key=x"))
    assert said == (
        "ecr in ap-northeast-2: https://emulator.example:4566 (AWS's own is https://api.ecr.ap-northeast-2.amazonaws.com)"
    )


@pytest.mark.parametrize("region", ["ap-northeast-2", "cn-north-1", "us-gov-east-1", "eusc-de-east-1", "us-iso-east-1"])
@pytest.mark.parametrize("service", ["ecr", "sts", "iam", "lambda", "events", "cloudtrail", "cloudwatch", "inspector2"])
def test_what_a_client_without_overrides_asks_is_aws_in_every_partition(region, service):
    """Held against botocore's own clients."""
    session, clients = boto3.Session("AKIAEXAMPLE", "secret", region_name=region), EndpointRecorder()
    clients.attach(session, ACCOUNT)
    session.client(service)
    assert [(each.service, each.is_aws) for each in clients.endpoints] == [(service, True)]


@pytest.mark.parametrize("use", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
@pytest.mark.parametrize("service", ["ecr", "sts", "iam", "lambda", "cloudwatch"])
def test_fips_and_dual_stack_by_the_environment_are_aws(monkeypatch, use, service):
    """As botocore itself resolves them, when the client is made and when it sends."""
    monkeypatch.setenv(use, "true")
    session, clients = looked_at()
    _answering(session.client(service, region_name="us-east-1"), {})
    assert clients.endpoints
    assert clients.elsewhere == ()


def test_the_older_address_of_sts_is_aws(monkeypatch):
    """AWS_STS_REGIONAL_ENDPOINTS=legacy."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    session, clients = looked_at()
    client = session.client("sts", region_name="us-west-2")
    assert client.meta.endpoint_url == "https://sts.amazonaws.com"
    assert clients.elsewhere == ()


OVERRIDES = {
    "for one service": ({"AWS_ENDPOINT_URL_CLOUDTRAIL": "http://127.0.0.1:9"}, ["cloudtrail"]),
    "for a late one": ({"AWS_ENDPOINT_URL_INSPECTOR2": "https://inspector.example"}, ["inspector2"]),
    "for all": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ["ecr", "cloudtrail", "inspector2"]),
    "ignored": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, []),
    "none": ({}, []),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_an_override_of_any_service_is_seen_when_its_client_is_made(monkeypatch, case):
    """Whoever makes it, and whenever: no list of services is kept."""
    environment, expected = OVERRIDES[case]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session, clients = looked_at()
    for service in ("ecr", "cloudtrail", "inspector2"):
        session.client(service)
    assert [each.service for each in clients.elsewhere] == expected


@pytest.mark.parametrize("section", ["endpoint_url = http://127.0.0.1:9", "services = here"])
def test_a_profiles_override_is_seen(monkeypatch, tmp_path, section):
    """`endpoint_url`, and a section of services."""
    config = tmp_path / "config"
    config.write_text(f"[profile p]\n{section}\n[services here]\ncloudwatch =\n  endpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = boto3.Session("AKIAEXAMPLE", "secret", region_name=SEOUL, profile_name="p")
    clients = EndpointRecorder()
    clients.attach(session, ACCOUNT)
    session.client("cloudwatch")
    assert [each.service for each in clients.elsewhere] == ["cloudwatch"]


def test_a_client_of_the_sessions_own_is_looked_at_as_well():
    """Botocore makes them to assume roles, below boto3."""
    session, clients = looked_at()
    session._session.create_client("sts", endpoint_url="http://127.0.0.1:9")
    assert [each.service for each in clients.elsewhere] == ["sts"]


def test_each_request_is_looked_at_not_only_the_client():
    """A hook on the way may lead it elsewhere than the client says."""
    session, clients = looked_at()
    client = session.client("ecr")

    def divert(request, **_):
        request.url = request.url.replace("api.ecr.ap-northeast-2.amazonaws.com", "emulator.example")

    client.meta.events.register_first("request-created.ecr", divert)
    assert clients.elsewhere == ()
    _answering(client, {})
    assert [each.url for each in clients.elsewhere] == ["https://emulator.example"]


def test_the_registry_that_ecr_names_is_looked_at():
    """Its API may be AWS's, and the registry somebody's."""
    session, clients = looked_at()
    client = session.client("ecr")
    _answering(client, {"authorizationData": [{"proxyEndpoint": "https://registry.example"}]})
    assert [each.name for each in clients.elsewhere] == ["the registry that ecr names"]
    assert "registry.example" in str(clients.elsewhere[0])


def test_models_beside_botocores_own_decide_nothing(tmp_path):
    """AWS_DATA_PATH can lead a client anywhere; what it is held against comes from botocore alone."""
    rules = Path(Loader.BUILTIN_DATA_PATH, "partitions.json").read_text(encoding="utf-8")
    (tmp_path / "partitions.json").write_text(rules.replace('"amazonaws.com"', '"rented.example"'))
    code = (
        "import boto3\nfrom gate.aws.endpoint_recorder import EndpointRecorder\n"
        "session, clients = boto3.Session('a', 'b', region_name='ap-northeast-2'), EndpointRecorder()\n"
        "clients.attach(session, '1')\nclient = session.client('lambda')\n"
        "client.meta.events.register('before-send', lambda **_: 1 / 0)\n"
        "try: client.list_functions()\nexcept ZeroDivisionError: pass\n"
        "print([each.shown for each in clients.elsewhere])"
    )
    environment = {**os.environ, "AWS_DATA_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[2],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "https://lambda.ap-northeast-2.rented.example" in done.stdout


def test_nothing_is_published_to_aws_by_the_rules_of_a_rehearsal():
    """ECR is AWS's and something else is not: refused. All elsewhere, or all of AWS, or only looking: let through."""
    ours, trail = endpoint(*OURS[0]), endpoint("cloudtrail", SEOUL, "http://127.0.0.1:9")
    emulated = endpoint("ecr", SEOUL, "http://127.0.0.1:9")
    refused = check_endpoints((ours, trail), True)
    assert not refused.accepted
    assert "cloudtrail in ap-northeast-2: http://127.0.0.1:9" in str(refused.rejections[0])
    for endpoints, publishes in [((ours,), True), ((emulated, trail), True), ((ours, trail), False), ((), True)]:
        assert check_endpoints(endpoints, publishes).accepted


def test_a_service_that_was_called_by_a_client_nobody_looked_at_is_refused():
    """The call log knows the call."""
    assert check_recorded_clients(["ecr"], [endpoint(*OURS[0])]).accepted
    assert "sts" in str(check_recorded_clients(["ecr", "sts"], [endpoint(*OURS[0])]).rejections[0])


def test_no_module_makes_a_client_of_its_own():
    """Each comes from the run's session, which one module makes; `admit` is no run, and believes a signature alone."""
    making = re.compile(r"\bboto3\.(?:Session|client|resource)\(|\bbotocore\.session\.")
    modules = (Path(__file__).parents[2] / "gate").rglob("*.py")
    assert {path.name for path in modules if making.search(path.read_text())} == {"preflight.py", "admit.py"}


def test_names_follow_from_the_partition():
    """ARNs and registry hosts, as botocore's data has them."""
    assert partition_of("cn-north-1").name == "aws-cn"
    assert partition_of("eusc-de-east-1").suffix == "amazonaws.eu"
    assert registry_host(ACCOUNT, "cn-north-1") == f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn"
    assert registry_host(ACCOUNT, SEOUL) in registry_hosts(ACCOUNT, SEOUL)


def looked_at():
    """A session and what looks at its clients."""
    session, clients = boto3.Session("AKIAEXAMPLE", "secret", region_name=SEOUL), EndpointRecorder()
    clients.attach(session, ACCOUNT)
    return session, clients


def _answering(client, document):
    """Ask one thing, and let nothing leave this machine."""

    class Body:
        def stream(self, **_):
            yield json.dumps(document).encode()

    client.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Body()))
    calls = {"ecr": "get_authorization_token", "sts": "get_caller_identity", "iam": "list_users",
             "lambda": "list_functions", "cloudwatch": "list_metrics"}  # fmt: skip
    with suppress(ResponseParserError):  # what is answered is not what is tested
        getattr(client, calls[client.meta.service_model.service_name])()
