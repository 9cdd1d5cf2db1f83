"""MiniStack with a zip function as production has it: layers, environment, version, alias, schedule."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from gate.legacy.reader import ZipFunction

ACCOUNT, REGION, NAME, RULE = "654654307503", "ap-northeast-2", "naverplace_send_inform", "every-20-minutes"


def code(text="def handler(event, context): return 1"):
    """A deployment package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", text)
    return buffer.getvalue()


class Production:
    """The account's clients, and what a test may do to them."""

    def __init__(self, endpoint):
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        self.functions = session.client("lambda", endpoint_url=endpoint)
        self.events = session.client("events", endpoint_url=endpoint)
        self.scheduler = session.client("scheduler", endpoint_url=endpoint)

    def seed(self):
        """Put the function there, anew."""
        with contextlib.suppress(ClientError):
            self.functions.delete_function(FunctionName=NAME)
        self.layers = [self.layer(name) for name in ("chromedriver", "selenium")]
        made = self.functions.create_function(
            FunctionName=NAME,
            Runtime="python3.9",
            Role=f"arn:aws:iam::{ACCOUNT}:role/{NAME}-role",
            Handler="handler.handler",
            Code={"ZipFile": code()},
            Layers=self.layers,
            MemorySize=512,
            Timeout=300,
            Environment={"Variables": {"API_KEY": "top-secret-value", "STAGE": "prod"}},
        )
        self.settled()
        version = self.functions.publish_version(FunctionName=NAME)["Version"]
        self.functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
        self.functions.add_permission(
            FunctionName=NAME, StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
        )
        self.events.put_rule(Name=RULE, ScheduleExpression="rate(20 minutes)", State="ENABLED")
        self.events.put_targets(
            Rule=RULE, Targets=[{"Id": "zip", "Arn": made["FunctionArn"], "Input": '{"k": "s3cret"}'}]
        )
        return self

    def layer(self, name):
        """Another version of a layer."""
        return self.functions.publish_layer_version(LayerName=name, Content={"ZipFile": code(name)})["LayerVersionArn"]

    def settled(self):
        """Wait until no update is under way."""
        while self.functions.get_function_configuration(FunctionName=NAME)["LastUpdateStatus"] == "InProgress":
            time.sleep(0.02)

    def snapshot(self):
        """The function, read by the gate."""
        now = lambda: datetime(2025, 10, 18, 12, tzinfo=UTC)  # noqa: E731
        clients = (self.functions, self.events, self.scheduler)
        return ZipFunction(*clients, NAME, sleep=lambda _s: time.sleep(0.02), now=now).snapshot()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    """MiniStack on a free port of 127.0.0.1, ended with the tests."""
    folder = tmp_path_factory.mktemp("ministack")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        # These two would listen on every address.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SERVICES": "sts,iam,lambda,events,scheduler",
        "TMPDIR": str(folder),
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait(endpoint, process)
            yield endpoint
        finally:
            process.terminate()
            process.wait(10)


def _wait(endpoint, process):
    deadline = time.monotonic() + 60
    client = boto3.client(
        "sts", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )
    while True:
        try:
            client.get_caller_identity()
        except (BotoCoreError, ClientError):
            assert process.poll() is None, "MiniStack ended"
            assert time.monotonic() < deadline, "MiniStack did not answer within a minute"
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def production(ministack):
    """Production as it was before the release."""
    return Production(ministack).seed()
