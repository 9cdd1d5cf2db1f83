"""What a repository holds beside images that run: signatures, attestations, SBOMs, and which image each is about. Pure.

What cosign stores under a tag names no subject in its manifest; its signature or attestation says what it is about.

Sources: OCI image specification 1.1, "manifest.md" (`subject`, `artifactType`); OCI distribution specification 1.1,
"Referrers Tag Schema"; cosign's signature specification (the tags `sha256-<hex>.sig`, `.att`, `.sbom`, and the "simple
signing" payload); DSSE 1.0 envelopes with an in-toto Statement, whose subjects have digests.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gate.registry.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, StoredManifest, check_bytes

if TYPE_CHECKING:
    from gate.registry.repository import StoredImage

_TAG = re.compile(r"sha256-([0-9a-f]{64})(\.(?:sig|att|sbom))?")
_IMAGE_CONFIGS = frozenset(
    {"application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"}
)
# cosign gives its signatures the config of an image; what they hold is text and no archive of files.
_TEXT = re.compile(r"text/.+|.+[/+](?:json|xml)")
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"


class NotAnArtifact(ValueError):
    """Why something is not a referrer; the message is the end of a sentence that begins with "it"."""


@dataclass(frozen=True)
class Artifact:
    """A manifest that is not an image to run.

    Attributes:
        kind: what it says it is (`artifactType`, else its config's media type; an index: its media type).
        subject: the digest of the manifest that it refers to, "" when it names none.
        children: the digests that an index names.
        named: the digests that its signatures or attestations speak of.
    """

    kind: str
    subject: str
    children: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()


def named_by(tag: str) -> str | None:
    """The digest that a referrer's tag speaks of; None for any other tag."""
    found = _TAG.fullmatch(tag)
    return f"sha256:{found[1]}" if found else None


def read_artifact(digest: str, stored: StoredManifest | None, blobs: Mapping[str, str]) -> Artifact:
    """Read the manifest of what is no image, and of its blobs those that tell what it is about.

    Raises:
        NotAnArtifact: its manifest is not known or damaged, or it can be run.
    """
    if stored is None or stored.digest != digest or not check_bytes(stored).accepted:
        raise NotAnArtifact("could not be looked at: the registry does not answer its manifest")
    try:
        document = json.loads(stored.body)
        if stored.media_type in (OCI_INDEX, DOCKER_LIST):
            children = tuple(str(child["digest"]) for child in document["manifests"])
            return Artifact(stored.media_type, _subject(document), children)
        if stored.media_type in (OCI_MANIFEST, DOCKER_MANIFEST):
            return _single(document, blobs)
    except NotAnArtifact:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as damage:
        raise NotAnArtifact(f"could not be looked at: its manifest is not one ({damage!r})") from damage
    raise NotAnArtifact(f"has a manifest of the media type {stored.media_type!r}, which is not known")


def _single(document: Mapping[str, Any], blobs: Mapping[str, str]) -> Artifact:
    config, layers = document["config"]["mediaType"], [layer["mediaType"] for layer in document["layers"]]
    if config in _IMAGE_CONFIGS and not (layers and all(_TEXT.fullmatch(layer) for layer in layers)):
        raise NotAnArtifact("is another image that can be run")
    named = frozenset(_signed_subjects(document, blobs))
    return Artifact(str(document.get("artifactType") or config), _subject(document), (), named)


def _subject(document: Mapping[str, Any]) -> str:
    subject = document.get("subject")
    return "" if subject is None else str(subject["digest"])


@dataclass(frozen=True)
class ReferrerLookup:
    """What is known of the images of a repository, from which it follows what a new one refers to.

    Attributes:
        images: all that were and are there, by digest.
        manifests: of those that were looked at.
        blobs: the text of the blobs that `blobs_to_read` names, by digest.
        known: the digests that may be referred to: what was there before, and the release.
    """

    images: Mapping[str, StoredImage]
    manifests: Mapping[str, StoredManifest]
    blobs: Mapping[str, str]
    known: Collection[str]

    def with_their_own(self, images: Collection[StoredImage]) -> ReferrerLookup:
        """The same, and what refers to a referrer is known too."""
        more = {image.digest for image in images if image.digest not in self.known and self._is_referrer(image)}
        return replace(self, known={*self.known, *more}).with_their_own(images) if more else self

    def about(self, image: StoredImage) -> str:
        """Of which image this one is a referrer, as a sentence for the report.

        Raises:
            NotAnArtifact: it is none, or of something that was not there.
        """
        artifact = self._read(image.digest)
        if image.subject and image.subject != artifact.subject:
            raise NotAnArtifact(f"refers to {artifact.subject or 'nothing'}, and ECR says to {image.subject}")
        for tag in image.tags:
            _check_tag(tag, artifact)
        named = {digest for tag in image.tags if (digest := named_by(tag))}
        subjects = named | ({artifact.subject} if artifact.subject else set())
        if len(subjects) != 1:
            said = f"refers to several images: {', '.join(sorted(subjects))}" if subjects else "refers to no image"
            raise NotAnArtifact(said)
        (subject,) = subjects
        if subject not in self.known:
            raise NotAnArtifact(f"refers to {subject}, which was not there before the release")
        for child in artifact.children:
            self._check_child(child, subject)
        return f"{artifact.kind}, a referrer of {subject}"

    def _read(self, digest: str) -> Artifact:
        return read_artifact(digest, self.manifests.get(digest), self.blobs)

    def _is_referrer(self, image: StoredImage) -> bool:
        try:
            return bool(self.about(image))
        except NotAnArtifact:
            return False

    def _check_child(self, digest: str, subject: str) -> None:
        """An index of referrers holds referrers of one image and nothing else."""
        image = self.images.get(digest)
        if image is None:
            raise NotAnArtifact(f"is an index that names {digest}, which is not there")
        if digest in self.manifests:
            found = self._read(digest).subject
        else:
            found = image.subject if image.artifact_type not in _IMAGE_CONFIGS else ""
        if found != subject:
            raise NotAnArtifact(f"is an index that names {digest}, which is no referrer of {subject}")


def _check_tag(tag: str, artifact: Artifact) -> None:
    """Where the manifest names no subject, the tag alone proves nothing: signature or attestation have to say it too.

    Raises:
        NotAnArtifact: they do not. (What an SBOM is about, nothing in it need say.)
    """
    found = _TAG.fullmatch(tag)
    if found is None or artifact.subject or artifact.children or found[2] == ".sbom" or artifact.kind == OCI_INDEX:
        return
    if f"sha256:{found[1]}" not in artifact.named:
        said = f"speaks of {', '.join(sorted(artifact.named))}" if artifact.named else "says not what it is about"
        raise NotAnArtifact(f"{said}, and its tag of sha256:{found[1]}")


def blobs_to_read(stored: StoredManifest) -> tuple[str, ...]:
    """The digests of the blobs that tell what this manifest is about; none where its `subject` does, or nothing can."""
    try:
        document = json.loads(stored.body)
        return () if document.get("subject") else tuple(layer["digest"] for layer in _layers(document))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _signed_subjects(document: Mapping[str, Any], payloads: Mapping[str, str]) -> set[str]:
    """The digests that every signature and attestation in a manifest speaks of; empty where one cannot be read."""
    found = [_subjects_in(layer["mediaType"], payloads.get(layer["digest"], "")) for layer in _layers(document)]
    return set.intersection(*found) if found else set()


def _layers(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [layer for layer in document.get("layers", []) if layer["mediaType"] in (SIMPLE_SIGNING, ENVELOPE)]


def _subjects_in(kind: str, text: str) -> set[str]:
    try:
        payload = json.loads(text)
        if kind == SIMPLE_SIGNING:
            return {str(payload["critical"]["image"]["docker-manifest-digest"])}
        statement = json.loads(base64.b64decode(payload["payload"]))
        return {f"sha256:{subject['digest']['sha256']}" for subject in statement["subject"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
