"""The shapes of ECR's parameters, from botocore's model of the service."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from localaws.ecr.errors import invalid


@cache
def service() -> ServiceModel:
    """The model."""
    return ServiceModel(Loader().load_service_model("ecr", "service-2"))


def check(operation: str, parameters: Any) -> None:
    """Refuse parameters that do not match the operation's shape.

    Raises:
        EcrError: InvalidParameterException.
    """
    shape = service().operation_model(operation).input_shape
    if not isinstance(parameters, dict):
        raise invalid(f"the parameters of {operation} are not a JSON object")
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise invalid(f"{operation}: {report.generate_report()}")
    for name, value in parameters.items():
        if name in shape.members:
            _check_value(name, value, shape.members[name])


def _check_value(name: str, value: Any, shape: Shape) -> None:
    if isinstance(shape, StructureShape):
        for member, inner in value.items():
            if member in shape.members:
                _check_value(f"{name}.{member}", inner, shape.members[member])
    elif isinstance(shape, ListShape):
        most = shape.metadata.get("max")
        if most and len(value) > most:
            raise invalid(f"Invalid parameter at '{name}' failed to satisfy constraint: 'at most {most} members'")
        for inner in value:
            _check_value(name, inner, shape.member)
    elif shape.type_name == "string":
        _check_string(name, value, shape)


def _check_string(name: str, value: str, shape: Shape) -> None:
    pattern, longest = shape.metadata.get("pattern"), shape.metadata.get("max")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        raise invalid(
            f"Invalid parameter at '{name}' failed to satisfy constraint: 'Member must satisfy enum {allowed}'"
        )
    if longest and len(value) > longest:
        raise invalid(f"Invalid parameter at '{name}' failed to satisfy constraint: 'at most {longest} characters'")
    if pattern and not re.fullmatch(pattern, value):
        raise invalid(
            f"Invalid parameter at '{name}' failed to satisfy constraint: 'must satisfy regular expression '{pattern}''"
        )
