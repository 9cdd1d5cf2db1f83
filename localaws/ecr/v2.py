"""The registry protocol, /v2/ (OCI distribution specification 1.0), under ECR's rules.

Blobs pass through to the registry behind. Manifests are stored there by digest only: which tag names which digest
is this registry's own knowledge, because ECR's rules are about tags.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from http.client import HTTPException, HTTPResponse

from localaws.ecr import manifest
from localaws.ecr.access import Access
from localaws.ecr.blobs import MANIFEST_LIMIT
from localaws.ecr.credentials import Credential
from localaws.ecr.errors import EcrError, RegistryError, as_registry_error
from localaws.ecr.exchange import BodyTooLarge, BrokenBody, Exchange
from localaws.ecr.operations import Ecr
from localaws.ecr.pushing import push

_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs/uploads|blobs|manifests|tags)/(?P<reference>[^/]*)/?")
_API = ("Docker-Distribution-Api-Version", "registry/2.0")
_JSON = ("Content-Type", "application/json")
_PASSED_ON = ("Content-Type", "Content-Range", "Range", "Accept", "If-None-Match")
_PASSED_BACK = (
    "Content-Type",
    "Content-Range",
    "Docker-Content-Digest",
    "Docker-Upload-UUID",
    "ETag",
    "Location",
    "Range",
)
_ACTIONS = {
    ("blobs", "HEAD"): "BatchCheckLayerAvailability",
    ("blobs", "GET"): "GetDownloadUrlForLayer",
    ("blobs/uploads", "POST"): "InitiateLayerUpload",
    ("blobs/uploads", "PATCH"): "UploadLayerPart",
    ("blobs/uploads", "PUT"): "CompleteLayerUpload",
    ("blobs/uploads", "GET"): "UploadLayerPart",
    ("blobs/uploads", "DELETE"): "UploadLayerPart",
    ("manifests", "HEAD"): "BatchGetImage",
    ("manifests", "GET"): "BatchGetImage",
    ("manifests", "PUT"): "PutImage",
    ("tags", "GET"): "ListImages",
}


class RegistryProtocol:
    """ECR's data plane."""

    def __init__(self, ecr: Ecr, access: Access) -> None:
        self._ecr = ecr
        self._access = access

    def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            self._route(exchange)
        except RegistryError as refusal:
            self._refuse(exchange, refusal)
        except EcrError as refusal:
            self._refuse(exchange, as_registry_error(refusal))
        except BodyTooLarge as refusal:
            self._refuse(exchange, RegistryError("SIZE_INVALID", str(refusal), 413))
        except BrokenBody:
            exchange.close_connection = True
        except (HTTPException, OSError) as silence:
            self._refuse(exchange, RegistryError("UNAVAILABLE", f"the registry does not answer: {silence}", 503))

    def _route(self, exchange: Exchange) -> None:
        credential = self._caller(exchange)
        path = urllib.parse.urlsplit(exchange.path).path
        if path in ("/v2", "/v2/"):
            exchange.answer(200, [_API, _JSON], b"{}")
            return
        found = _PATH.fullmatch(urllib.parse.unquote(path))
        action = _ACTIONS.get((found["kind"], exchange.command)) if found else None
        if found is None or action is None:
            raise RegistryError("UNSUPPORTED", f"{exchange.command} {path} is not supported by Amazon ECR", 405)
        self._access.require(credential, action, found["name"])
        with self._ecr.store.reading() as account:
            self._ecr.store.repository(account, found["name"])
        if found["kind"] == "tags":
            self._list_tags(exchange, found["name"])
        elif found["kind"] != "manifests":
            self._pass_on(exchange, path)
        elif exchange.command == "PUT":
            self._put_manifest(exchange, found["name"], found["reference"])
        else:
            self._get_manifest(exchange, found["name"], found["reference"])

    def _caller(self, exchange: Exchange) -> Credential:
        kind, _, encoded = exchange.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            raise RegistryError("UNAUTHORIZED", "authentication required", 401)
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as damage:
            raise RegistryError("UNAUTHORIZED", f"the login is not readable: {damage}", 401) from damage
        return self._ecr.passwords.owner_of(user, password)

    def _put_manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        body = exchange.body(MANIFEST_LIMIT)
        pushed = manifest.read(body, exchange.headers.get("Content-Type"))
        by_digest = reference.startswith("sha256:")
        manifest.check_digest(pushed, reference if by_digest else None)
        push(self._ecr, name, pushed, None if by_digest else reference)
        location = f"/v2/{name}/manifests/{pushed.digest}"
        exchange.answer(201, [_API, ("Location", location), ("Docker-Content-Digest", pushed.digest)])

    def _get_manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        digest, tag = (reference, None) if reference.startswith("sha256:") else (None, reference)
        with self._ecr.store.reading() as account:
            image = self._ecr.store.image(self._ecr.store.repository(account, name), digest, tag)
        body = self._ecr.blobs.manifest(name, image.digest)
        headers = [_API, ("Content-Type", image.media_type), ("Docker-Content-Digest", image.digest)]
        exchange.answer(200, headers, body)

    def _list_tags(self, exchange: Exchange, name: str) -> None:
        with self._ecr.store.reading() as account:
            images = self._ecr.store.repository(account, name).images.values()
            tags = sorted(tag for image in images for tag in image.tags)
        exchange.answer(200, [_API, _JSON], json.dumps({"name": name, "tags": tags}).encode())

    def _pass_on(self, exchange: Exchange, path: str) -> None:
        headers = {name: exchange.headers[name] for name in _PASSED_ON if name in exchange.headers}
        has_body = exchange.command in ("PATCH", "PUT", "POST")
        if has_body and not exchange.is_chunked:
            headers["Content-Length"] = exchange.headers.get("Content-Length", "0")
        elif has_body:
            headers["Transfer-Encoding"] = "chunked"
        body = exchange.pieces() if has_body else None
        target = f"{path}?{_query(exchange)}".rstrip("?")
        with self._ecr.blobs.request(exchange.command, target, headers, body, chunked=exchange.is_chunked) as response:
            exchange.relay(response, _passed_back(response))

    def _refuse(self, exchange: Exchange, refusal: RegistryError) -> None:
        headers = [_API, _JSON]
        if refusal.status == 401:  # noqa: PLR2004  HTTP's "unauthorized"
            realm = f'Basic realm="http://{exchange.headers.get("Host", "")}/",service="ecr.amazonaws.com"'
            headers.append(("WWW-Authenticate", realm))
        exchange.answer(refusal.status, headers, refusal.body())


def _query(exchange: Exchange) -> str:
    # Without "mount" and "from" the layer is uploaded: one repository's layers are not lent to another.
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(exchange.path).query, keep_blank_values=True)
    return urllib.parse.urlencode([pair for pair in pairs if pair[0] not in ("mount", "from")])


def _passed_back(response: HTTPResponse) -> list[tuple[str, str]]:
    return [_API, *((name, response.headers[name]) for name in _PASSED_BACK if name in response.headers)]
