"""boto3 clients that answer what a row of the table says, read by botocore's own parsers from the services' JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.parsers import create_parser

REGION = "ap-northeast-2"
Answers = Mapping[str, Any]
_ANSWERS: dict[str, dict[str, list[Any]]] = {}


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def client(service: str, answers: Answers) -> Any:
    """The client of a service; what it answers is what it was last asked for here.

    Args:
        service: botocore's name of it.
        answers: by operation, as the service would write it in JSON; of a list one after the other, the last one again
            and again; `{"__type": code}` is an error. What is not there is answered with nothing.
    """
    made = _client(service)
    unknown = set(answers) - set(made.meta.service_model.operation_names)
    assert not unknown, f"{service} has no operation {unknown}"
    _ANSWERS[service] = {name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()}
    return made


@cache  # making a client takes longer than all that a row does with it
def _client(service: str) -> Any:
    made = _session().client(
        service, endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})
    )

    def answer(model: Any, **_more: Any) -> tuple[Any, dict[str, Any]]:
        left = _ANSWERS[service].get(model.name) or [{}]
        return _parsed(service, model.name, left.pop(0) if len(left) > 1 else left[0])

    made.meta.events.register(f"before-call.{made.meta.service_model.service_id.hyphenize()}", answer)
    return made


def _parsed(service: str, operation: str, body: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An answer as botocore reads it from the wire."""
    model = _model(service)
    status = 400 if "__type" in body else 200
    headers = {"x-amzn-errortype": body["__type"]} if "__type" in body else {}
    raw = {"status_code": status, "headers": headers, "body": json.dumps(body, default=str).encode()}
    shape = model.operation_model(operation).output_shape
    return SimpleNamespace(status_code=status), create_parser(model.resolved_protocol).parse(raw, shape)
