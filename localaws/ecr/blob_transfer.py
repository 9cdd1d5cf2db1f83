"""Blobs and uploads, passed on to the registry behind (OCI distribution specification 1.1, "Pushing a blob").

That registry appends whatever comes, so what a client states about a part is compared with the upload here.
"""

from __future__ import annotations

import re
import urllib.parse
from http.client import HTTPResponse

from localaws.ecr.blobs import Blobs
from localaws.ecr.errors import RegistryError
from localaws.ecr.exchange import Exchange

_RANGE = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")
_REFUSED = 400
_MOST_SAID = 64 * 1024
API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")
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


def pass_on(exchange: Exchange, blobs: Blobs, path: str) -> None:
    """Let the registry behind answer a request about a blob or an upload; bodies stream in both directions.

    Raises:
        RegistryError: BLOB_UPLOAD_INVALID or SIZE_INVALID, for a part of an upload that is out of order.
    """
    headers = {name: exchange.headers[name] for name in _PASSED_ON if name in exchange.headers}
    if exchange.command in ("PATCH", "PUT"):
        _check_part(exchange, blobs, f"{path}?{_query(exchange, without='digest')}")
    has_body = exchange.command in ("PATCH", "PUT", "POST")
    if has_body and exchange.length is not None:
        headers["Content-Length"] = str(exchange.length)
    elif has_body:
        headers["Transfer-Encoding"] = "chunked"
    body = exchange.pieces() if has_body else None
    target = f"{path}?{_query(exchange)}".rstrip("?")
    with blobs.request(exchange.command, target, headers, body, chunked=exchange.length is None) as response:
        if response.status < _REFUSED:
            exchange.relay(response, _passed_back(response))
        else:
            # Of a refused range the registry states the blob's length, and sends none of it.
            exchange.answer(response.status, _passed_back(response), response.read(_MOST_SAID))


def _check_part(exchange: Exchange, blobs: Blobs, path: str) -> None:
    """Refuse a part that does not begin where the upload ends, or has not the length that it states."""
    stated = exchange.headers.get("Content-Range")
    if stated is None:
        return
    found = _RANGE.fullmatch(stated)
    if found is None:
        raise RegistryError("BLOB_UPLOAD_INVALID", f"Content-Range is {stated!r}, not <first>-<last>", 400)
    first, last = int(found[1]), int(found[2])
    if last < first or exchange.length not in (None, last - first + 1):
        raise RegistryError("SIZE_INVALID", f"Content-Range is {stated}, the body has {exchange.length} bytes", 400)
    with blobs.request("GET", path) as status:
        there = status.headers.get("Range", "")
    # The registry says 0-0 for an empty upload and for one of one byte.
    if there and first not in ({0, 1} if there == "0-0" else {int(there.rpartition("-")[2]) + 1}):
        raise RegistryError("BLOB_UPLOAD_INVALID", f"the upload holds the bytes {there}, the part is {stated}", 416)


def _query(exchange: Exchange, without: str = "") -> str:
    # Without "mount" and "from" the layer is uploaded: mounting a layer of another repository is not modelled.
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(exchange.path).query, keep_blank_values=True)
    return urllib.parse.urlencode([pair for pair in pairs if pair[0] not in ("mount", "from", without)])


def _passed_back(response: HTTPResponse) -> list[tuple[str, str]]:
    return [API_VERSION, *((name, response.headers[name]) for name in _PASSED_BACK if name in response.headers)]
