"""Parts of an upload: where each begins and how long it is (OCI distribution specification 1.1, "Pushing a blob").

The registry behind appends whatever comes, so what a client states of a part is held against the upload here.
"""

from __future__ import annotations

import re

from localaws.ecr.blobs import Blobs
from localaws.ecr.errors import RegistryError
from localaws.ecr.exchange import Exchange

_RANGE = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")


def check_part(exchange: Exchange, blobs: Blobs, path: str) -> None:
    """Refuse a part that does not begin where the upload ends, or has not the length that it states.

    Args:
        exchange: a PATCH or PUT of an upload.
        blobs: the registry behind.
        path: of the upload there, with the query that names it.

    Raises:
        RegistryError: BLOB_UPLOAD_INVALID, with the status 416 for a part out of order.
    """
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
