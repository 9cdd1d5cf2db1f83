"""Statements beside an image in its registry: stored and found as OCI referrers.

Specifications: OCI image specification 1.1, "manifest.md" (`subject`, `artifactType`, the empty config); OCI
distribution specification 1.1, "Listing Referrers" and "Pushing a blob monolithically"; cosign, "Bundle Specification"
(the annotations). ECR asks of whoever lists referrers ecr:BatchGetImage, the permission of a pull.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import requests

from gate.errors import AwsRefused
from gate.evidence.signature import BUNDLE
from gate.registry.manifest import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from gate.registry.pull import Login, up_to

CONTENT, PREDICATE_TYPE = "dev.sigstore.bundle.content", "dev.sigstore.bundle.predicateType"
_EMPTY_TYPE, _EMPTY = "application/vnd.oci.empty.v1+json", b"{}"
_TIMEOUT = 30  # seconds
# A statement is some kilobytes, an SBOM some megabytes.
_MOST_BYTES = 32 * 1024 * 1024
_MOST_REFERRERS = 1000
_REMEDY = "grant the permissions of a pull (docs/policies/verify.json) on the repository, or run again"


class Referrers:
    """The statements of one repository.

    Args:
        login: to the registry.
        repository: its name, without the registry's host.
    """

    def __init__(self, login: Login, repository: str) -> None:
        self._base = f"{login.endpoint.rstrip('/')}/v2/{repository}/"
        self._session = requests.Session()
        self._session.auth = (login.username, login.password)

    def attach(self, subject: str, bundle: bytes, predicate_type: str, made_at: datetime) -> str:
        """Store a bundle beside the image with this digest; returns the digest of the referrer.

        Raises:
            AwsRefused: the registry does not take it.
        """
        image, body = self._ask("GET", f"manifests/{subject}", headers={"Accept": f"{OCI_MANIFEST}, {DOCKER_MANIFEST}"})
        blobs = ((_EMPTY_TYPE, _EMPTY), (BUNDLE, bundle))
        config, layer = ({"mediaType": kind, **self._put_blob(content)} for kind, content in blobs)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": BUNDLE,
            "config": config,
            "layers": [layer],
            "subject": {
                "mediaType": image.headers["Content-Type"].partition(";")[0],
                "digest": subject,
                "size": len(body),
            },
            "annotations": {
                CONTENT: "dsse-envelope",
                PREDICATE_TYPE: predicate_type,
                "org.opencontainers.image.created": made_at.astimezone(UTC).isoformat(timespec="seconds"),
            },
        }
        content = json.dumps(manifest).encode()
        digest = _digest(content)
        self._ask("PUT", f"manifests/{digest}", data=content, headers={"Content-Type": OCI_MANIFEST})
        return digest

    def listed(self, subject: str, predicate_type: str) -> tuple[str, ...]:
        """The digests of the referrers of this digest that hold such a statement, or do not say what they hold.

        Raises:
            AwsRefused: the registry does not tell, or tells of more than anybody can read.
        """
        found: list[dict[str, Any]] = []
        for page in self._pages(f"referrers/{subject}", {"artifactType": BUNDLE}):
            found += [each for each in page if each.get("artifactType") == BUNDLE]
            if len(found) > _MOST_REFERRERS:
                raise AwsRefused(f"more than {_MOST_REFERRERS} statements refer to {subject}", where=self._base)
        kinds = {str(each["digest"]): (each.get("annotations") or {}).get(PREDICATE_TYPE) for each in found}
        return tuple(digest for digest, kind in kinds.items() if kind in (None, predicate_type))

    def bundle(self, referrer: str) -> bytes:
        """The bundle that the referrer with this digest holds.

        Raises:
            AwsRefused: it is not handed out, is too large, or is not what its digest names.
        """
        manifest = self._content(f"manifests/{referrer}", referrer, {"Accept": OCI_MANIFEST})
        try:
            (layer,) = json.loads(manifest)["layers"]
            digest = str(layer["digest"])
        except (ValueError, KeyError, TypeError) as error:
            raise AwsRefused(f"the referrer {referrer} has no readable manifest", where=self._base) from error
        return self._content(f"blobs/{digest}", digest, {})

    def _pages(self, path: str, parameters: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        url: str | None = self._base + path
        while url:
            answer, content = self._ask("GET", url, params=parameters, headers={"Accept": OCI_INDEX})
            try:
                page: list[dict[str, Any]] = json.loads(content)["manifests"] or []
            except (ValueError, KeyError, TypeError) as error:
                raise AwsRefused("the registry answers no list of referrers", where=url, remedy=_REMEDY) from error
            yield page
            # The next page's address repeats the parameters.
            following = answer.links.get("next", {}).get("url", "")
            url, parameters = urljoin(url, following) if following else None, {}

    def _content(self, path: str, digest: str, headers: Mapping[str, str]) -> bytes:
        _, content = self._ask("GET", path, headers=headers)
        if _digest(content) != digest:
            raise AwsRefused(f"the registry answers {digest} with bytes that have another digest", where=self._base)
        return content

    def _put_blob(self, content: bytes) -> dict[str, Any]:
        digest = _digest(content)
        started, _ = self._ask("POST", "blobs/uploads/")
        place = urljoin(started.url, started.headers.get("Location", ""))
        kind = {"Content-Type": "application/octet-stream"}
        self._ask("PUT", place, params={"digest": digest}, data=content, headers=kind)
        return {"digest": digest, "size": len(content)}

    def _ask(self, method: str, path: str, **given: Any) -> tuple[requests.Response, bytes]:
        """The answer, and its content, which the answer itself no longer has."""
        url = urljoin(self._base, path)
        try:
            with self._session.request(method, url, timeout=_TIMEOUT, stream=True, **given) as answer:
                answer.raise_for_status()
                return answer, b"".join(up_to(_MOST_BYTES, answer, "a statement"))
        except requests.RequestException as error:
            cause = f"the registry refuses {method} {url}: {error}"
            raise AwsRefused(cause, where=self._base, remedy=_REMEDY) from error


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
