"""The registry protocol, /v2/ (OCI distribution specification 1.1), under ECR's rules.

Blobs are passed on to the registry behind. Manifests are stored there by digest only: tags are kept in this registry's
own state, because ECR's rules are about tags.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from http.client import HTTPException

from localaws.ecr import blob_transfer, identifiers, images, manifest, referrers
from localaws.ecr.authorization import Authorizer
from localaws.ecr.blob_transfer import API_VERSION
from localaws.ecr.blobs import MANIFEST_LIMIT
from localaws.ecr.credentials import Credential
from localaws.ecr.errors import EcrError, RegistryError, as_registry_error
from localaws.ecr.exchange import BodyTooLarge, BrokenBody, Exchange
from localaws.ecr.operations import Ecr
from localaws.ecr.pushing import push

_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs/uploads|blobs|manifests|tags|referrers)/(?P<reference>[^/]*)/?")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_JSON = ("Content-Type", "application/json")
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
    ("manifests", "DELETE"): "BatchDeleteImage",
    # ECR's documentation names no action for this.
    ("referrers", "GET"): "BatchGetImage",
    ("tags", "GET"): "ListImages",
}


class RegistryProtocol:
    """ECR's data plane."""

    def __init__(self, ecr: Ecr, authorizer: Authorizer) -> None:
        self._ecr = ecr
        self._authorizer = authorizer

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
        except BrokenBody as broken:
            exchange.refuse_body(broken)
        except (HTTPException, OSError) as error:
            self._refuse(exchange, RegistryError("UNAVAILABLE", f"the registry does not answer: {error}", 503))

    def _route(self, exchange: Exchange) -> None:
        credential = self._caller(exchange)
        path = urllib.parse.urlsplit(exchange.path).path
        if path in ("/v2", "/v2/"):
            exchange.answer(200, [API_VERSION, _JSON], b"{}")
            return
        found = _PATH.fullmatch(urllib.parse.unquote(path))
        action = _ACTIONS.get((found["kind"], exchange.command)) if found else None
        if found is None or action is None:
            raise RegistryError("UNSUPPORTED", f"the local target does not model {exchange.command} {path}", 405)
        if not _NAME.fullmatch(found["name"]):
            raise RegistryError("NAME_INVALID", f"{found['name']!r} is no repository's name", 400)
        if found["kind"] in ("blobs", "referrers") and not identifiers.is_digest(found["reference"]):
            raise RegistryError("DIGEST_INVALID", f"{found['reference']!r} is not a sha256 digest", 400)
        self._authorizer.require(credential, action, found["name"])
        with self._ecr.store.reading_repository(found["name"]):
            pass  # raises if there is none
        if found["kind"] in ("blobs", "blobs/uploads"):
            blob_transfer.pass_on(exchange, self._ecr.blobs, path)
        else:
            answers = {
                ("tags", "GET"): self._list_tags,
                ("referrers", "GET"): self._list_referrers,
                ("manifests", "PUT"): self._put_manifest,
                ("manifests", "DELETE"): self._delete_manifest,
            }
            answer = answers.get((found["kind"], exchange.command), self._get_manifest)
            answer(exchange, found["name"], found["reference"])

    def _caller(self, exchange: Exchange) -> Credential:
        kind, _, encoded = exchange.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            raise RegistryError("UNAUTHORIZED", "authentication required", 401)
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise RegistryError("UNAUTHORIZED", f"the login is not readable: {error}", 401) from error
        return self._ecr.passwords.owner_of(user, password)

    def _put_manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        body = exchange.body(MANIFEST_LIMIT)
        pushed = manifest.read(body, exchange.headers.get("Content-Type"))
        wanted = _reference(reference)
        manifest.check_digest(pushed, wanted.get("imageDigest"))
        push(self._ecr, name, pushed, wanted.get("imageTag"))
        location = f"/v2/{name}/manifests/{pushed.digest}"
        headers = [API_VERSION, ("Location", location), ("Docker-Content-Digest", pushed.digest)]
        exchange.answer(201, [*headers, ("OCI-Subject", pushed.subject)] if pushed.subject else headers)

    def _delete_manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        if "imageDigest" not in _reference(reference):
            raise RegistryError("UNSUPPORTED", "the local target deletes a manifest by its digest only", 405)
        images.delete(self._ecr, name, reference)
        exchange.answer(202, [API_VERSION])

    def _list_referrers(self, exchange: Exchange, name: str, digest: str) -> None:
        (chosen, *_) = [*_asked(exchange, "artifactType"), None]
        with self._ecr.store.reading_repository(name) as repository:
            body = referrers.index(self._ecr, repository, digest, chosen)
        headers = [API_VERSION, ("Content-Type", manifest.OCI_INDEX)]
        exchange.answer(200, [*headers, ("OCI-Filters-Applied", "artifactType")] if chosen else headers, body)

    def _get_manifest(self, exchange: Exchange, name: str, reference: str) -> None:
        with self._ecr.store.reading_repository(name) as repository:
            image = identifiers.image(repository, _reference(reference), self._ecr.account)
        body = self._ecr.blobs.manifest(name, image.digest)
        headers = [API_VERSION, ("Content-Type", image.media_type), ("Docker-Content-Digest", image.digest)]
        exchange.answer(200, headers, body)

    def _list_tags(self, exchange: Exchange, name: str, reference: str) -> None:
        if reference != "list":
            raise RegistryError("UNSUPPORTED", f"the local target does not model tags/{reference}", 405)
        (last, *_), (most, *_) = [*_asked(exchange, "last"), ""], [*_asked(exchange, "n"), None]
        if most is not None and not _NUMBER.fullmatch(most):
            raise RegistryError("PAGINATION_NUMBER_INVALID", f"n is {most!r}, not a number of tags", 400)
        with self._ecr.store.reading_repository(name) as repository:
            tags = sorted(tag for image in repository.images.values() for tag in image.tags if tag > last)
        shown = tags if most is None else tags[: int(most)]
        headers = [API_VERSION, _JSON]
        if shown and len(shown) < len(tags):
            query = urllib.parse.urlencode({"last": shown[-1], "n": most})
            headers.append(("Link", f'</v2/{name}/tags/list?{query}>; rel="next"'))
        exchange.answer(200, headers, json.dumps({"name": name, "tags": shown}).encode())

    def _refuse(self, exchange: Exchange, refusal: RegistryError) -> None:
        headers = [API_VERSION, _JSON]
        if refusal.status == 401:  # noqa: PLR2004  HTTP's "unauthorized"
            realm = f'Basic realm="http://{exchange.headers.get("Host", "")}/",service="ecr.amazonaws.com"'
            headers.append(("WWW-Authenticate", realm))
        exchange.answer(refusal.status, headers, refusal.body())


def _reference(reference: str) -> dict[str, str]:
    """A manifest's reference as an ImageIdentifier.

    Raises:
        RegistryError: it is neither a digest nor a tag.
    """
    if identifiers.is_digest(reference):
        return {"imageDigest": reference}
    if ":" in reference:
        raise RegistryError("DIGEST_INVALID", f"{reference!r} is not a sha256 digest", 400)
    try:
        identifiers.check_tag(reference)
    except EcrError as refusal:
        raise RegistryError("TAG_INVALID", refusal.message, 400) from refusal
    return {"imageTag": reference}


def _asked(exchange: Exchange, name: str) -> list[str]:
    """The values of a parameter in the request's query."""
    query = urllib.parse.urlsplit(exchange.path).query
    return urllib.parse.parse_qs(query, keep_blank_values=True).get(name, [])
