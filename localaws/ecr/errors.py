"""The errors of ECR's API and of the registry protocol."""

from __future__ import annotations

import json
from html import escape
from typing import Any


class CodedError(Exception):
    """An error with a code of its protocol.

    Attributes:
        code: in the ECR API e.g. `RepositoryNotFoundException`, in the registry protocol e.g. `NAME_UNKNOWN`.
        message: the message.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class EcrError(CodedError):
    """An error of the ECR API."""

    def body(self) -> bytes:
        """The answer's body in the JSON 1.1 protocol."""
        return json.dumps({"__type": self.code, "message": self.message}).encode()

    def xml(self) -> bytes:
        """The answer's body in the query protocol, of STS and IAM."""
        return f"<ErrorResponse>{self._xml_error('<Type>Sender</Type>')}</ErrorResponse>".encode()

    def rest_xml(self) -> bytes:
        """The answer's body in the REST and XML protocol, of S3."""
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


class RegistryError(CodedError):
    """An error of the registry protocol (OCI distribution specification, "Error Codes")."""

    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()


# The registry protocol's code and status for an error of the ECR API.
_REGISTRY_CODES = {
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "LayersNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 404),
    "ImageDigestDoesNotMatchException": ("DIGEST_INVALID", 400),
    "InvalidParameterException": ("MANIFEST_INVALID", 400),
    "UnsupportedOperationException": ("UNSUPPORTED", 405),
    "AccessDeniedException": ("DENIED", 403),
    "ExpiredTokenException": ("DENIED", 403),
}


def as_registry_error(error: EcrError) -> RegistryError:
    """The same refusal in the registry protocol."""
    code, status = _REGISTRY_CODES.get(error.code, ("UNKNOWN", max(error.status, 500)))
    return RegistryError(code, error.message, status)


def invalid(message: str) -> EcrError:
    """The error for a parameter that ECR does not accept."""
    return EcrError("InvalidParameterException", message)


def not_modelled(what: str) -> EcrError:
    """The error for what AWS has and the local target does not model; it does not claim to be ECR's."""
    return EcrError("UnsupportedOperationException", f"{what}. Rehearse without it, or run against AWS.", 501)


def not_an_operation(name: str, operations: Any) -> EcrError:
    """The error for an operation that is not modelled, or that ECR does not have."""
    if name in operations:
        return not_modelled(f"The local target does not model ecr:{name}")
    return EcrError("UnknownOperationException", f"ECR has no operation {name!r}.")
