"""ECR's own errors, as the JSON protocol and as the registry protocol word them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any


class EcrError(Exception):
    """An error of the ECR API.

    Attributes:
        code: the exception's name in the ECR API reference, e.g. `RepositoryNotFoundException`.
        message: what ECR says.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def body(self) -> bytes:
        """The answer's body in the JSON 1.1 protocol."""
        return json.dumps({"__type": self.code, "message": self.message}).encode()

    def xml(self) -> bytes:
        """The answer's body in the query protocol, which STS and IAM speak."""
        return f"<ErrorResponse>{self._xml_error('<Type>Sender</Type>')}</ErrorResponse>".encode()

    def rest_xml(self) -> bytes:
        """The answer's body in the REST and XML protocol, which S3 speaks."""
        return self._xml_error("").encode()

    def cbor(self) -> bytes:
        """The answer's body in the RPC v2 protocol: one CBOR map of texts (RFC 8949)."""
        pairs = {"__type": self.code, "message": self.message}
        return b"\xa2" + b"".join(_cbor_text(word) for pair in pairs.items() for word in pair)

    def _xml_error(self, kind: str) -> str:
        return f"<Error>{kind}<Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data  # a text whose length takes two bytes


class RegistryError(Exception):
    """An error of the registry protocol (OCI distribution specification, "Error Codes").

    Attributes:
        code: e.g. `NAME_UNKNOWN`, `TAG_INVALID`, `DENIED`.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()


@dataclass(frozen=True)
class _Twin:
    """The registry protocol's word for an error of the ECR API."""

    code: str
    status: int


_TWINS = {
    "RepositoryNotFoundException": _Twin("NAME_UNKNOWN", 404),
    "ImageNotFoundException": _Twin("MANIFEST_UNKNOWN", 404),
    "ImageTagAlreadyExistsException": _Twin("TAG_INVALID", 400),
    "LayersNotFoundException": _Twin("MANIFEST_BLOB_UNKNOWN", 404),
    "ReferencedImagesNotFoundException": _Twin("MANIFEST_BLOB_UNKNOWN", 404),
    "ImageDigestDoesNotMatchException": _Twin("DIGEST_INVALID", 400),
    "InvalidParameterException": _Twin("MANIFEST_INVALID", 400),
    "UnsupportedOperationException": _Twin("UNSUPPORTED", 405),
    "AccessDeniedException": _Twin("DENIED", 403),
    "ExpiredTokenException": _Twin("DENIED", 403),
}


def as_registry_error(error: EcrError) -> RegistryError:
    """The same refusal in the registry protocol."""
    twin = _TWINS.get(error.code, _Twin("UNKNOWN", max(error.status, 500)))
    return RegistryError(twin.code, error.message, twin.status)


def invalid(message: str) -> EcrError:
    """The error for a parameter that ECR does not accept."""
    return EcrError("InvalidParameterException", message)


def not_modelled(what: str) -> EcrError:
    """The error for what AWS has and the local target has not; never in ECR's name."""
    return EcrError("UnsupportedOperationException", f"{what}. Rehearse without it, or run against AWS.", 501)


def not_an_operation(name: str, operations: Any) -> EcrError:
    """The error for an operation that is not answered here; it says whether ECR has it."""
    if name in operations:
        return not_modelled(f"The local target does not model ecr:{name}")
    return EcrError("UnknownOperationException", f"ECR has no operation {name!r}.")
