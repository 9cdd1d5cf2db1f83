"""What explains itself after a release (referrers, the lifecycle policy at work), and what nothing explains."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gate.registry.changes import Comparison, InspectedManifests, to_inspect
from gate.registry.manifest import OCI_INDEX, OCI_MANIFEST, StoredManifest
from gate.registry.repository import StoredImage
from gate.registry.repository_checks import check_otherwise_unchanged
from tests.registry.test_lifecycle import policy, rule
from tests.registry.test_repository import AT, BEFORE

NOW = AT + timedelta(days=30)
TAGS = ("v1.0.0", "latest", "candidate")
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NOTARY = "application/vnd.cncf.notary.signature"
EMPTY = "application/vnd.oci.empty.v1+json"
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE = "application/vnd.dsse.envelope.v1+json"


def sha(text):
    """The digest of a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def blob(kind):
    """A descriptor."""
    return {"mediaType": kind, "digest": sha(kind), "size": 2}


def artifact(config=NOTARY, layers=("application/jose+json",), subject=None, **more):
    """A manifest, as stored."""
    body = {"schemaVersion": 2, "config": blob(config), "layers": [blob(layer) for layer in layers], **more}
    if subject:
        body["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 5}
    return stored(body, OCI_MANIFEST)


def index(*children, **more):
    """An index, as stored."""
    entries = [{"mediaType": OCI_MANIFEST, "digest": child, "size": 5} for child in children]
    return stored({"schemaVersion": 2, "manifests": entries, **more}, OCI_INDEX)


def stored(body, kind):
    """A manifest with its true digest."""
    text = json.dumps(body)
    return StoredManifest(sha(text), kind, text)


OLD = StoredImage(sha("old"), ("v0.9.0", "latest"), 10, AT - timedelta(days=100), OCI_MANIFEST, "ACTIVE")
NEW = StoredImage(sha("new"), TAGS, 10, NOW, OCI_MANIFEST, "ACTIVE")
LEFT = replace(OLD, tags=("v0.9.0",))
HEX = NEW.digest.removeprefix("sha256:")


def held(manifest, *tags, subject=""):
    """The image that a manifest makes in the repository."""
    document = json.loads(manifest.body)
    kind = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    told = subject or document.get("subject", {}).get("digest", "")
    return StoredImage(
        manifest.digest, tags, 4000, NOW, manifest.media_type, "ACTIVE", artifact_type=kind, subject=told
    )


def older(name, *tags, age=20, **more):
    """An image pushed so many days ago."""
    return StoredImage(sha(name), tags, 10, NOW - timedelta(days=age), OCI_MANIFEST, "ACTIVE", **more)


def payload(kind, *digests):
    """What a signature or an attestation says it is about, by the digest of the layer that holds it."""
    if kind == COSIGN:
        return {sha(COSIGN): json.dumps({"critical": {"image": {"docker-manifest-digest": digests[0]}}})}
    subjects = [{"name": "r", "digest": {"sha256": digest.removeprefix("sha256:")}} for digest in digests]
    statement = base64.b64encode(json.dumps({"subject": subjects}).encode()).decode()
    return {sha(DSSE): json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": statement})}


def said(before, after, manifests=(), lifecycle="{}", now=NOW, blobs=None):
    """What the check says ("" for accepted); the manifests are those of the images that are new."""
    found = InspectedManifests({each.digest: each for each in manifests}, blobs or {})
    was = replace(BEFORE, images=tuple(before), lifecycle_policy=lifecycle)
    is_ = replace(BEFORE, images=tuple(after), lifecycle_policy=lifecycle)
    result = check_otherwise_unchanged(Comparison(was, is_, TAGS, NEW.digest, found, now))
    return "\n".join(map(str, result.rejections))


# --- referrers ------------------------------------------------------------------------------------------------

REFERRERS = {
    "a signature by ECR": (artifact(subject=NEW.digest), ()),
    "a signature of an older image": (artifact(subject=OLD.digest), ()),
    "notation's newer form": (artifact(EMPTY, subject=NEW.digest, artifactType=NOTARY), ()),
    "an SBOM attached with oras": (
        artifact(EMPTY, ("application/vnd.oci.image.layer.v1.tar",), NEW.digest, artifactType="text/spdx"), ()),
    "an attestation with an image's config and a subject": (
        artifact(CONFIG, (DSSE,), NEW.digest), ()),
    "cosign's signature": (artifact(CONFIG, (COSIGN,)), (f"sha256-{HEX}.sig",)),
    "cosign's attestation": (artifact(CONFIG, (DSSE,)), (f"sha256-{HEX}.att",)),
    "cosign's SBOM": (artifact(CONFIG, ("text/spdx+json",)), (f"sha256-{HEX}.sbom",)),
    "a referrer under the tag of the OCI's scheme": (artifact(subject=NEW.digest), (f"sha256-{HEX}",)),
    "an empty list of referrers": (index(), (f"sha256-{HEX}",)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERRERS)
def test_a_referrer_of_an_image_that_was_there_explains_itself(name):
    """Whoever stored it: the pusher, a signer, ECR."""
    manifest, tags = REFERRERS[name]
    blobs = payload(COSIGN, NEW.digest) | payload(DSSE, OLD.digest, NEW.digest)
    assert said([OLD], [LEFT, NEW, held(manifest, *tags)], [manifest], blobs=blobs) == ""


@pytest.mark.parametrize(
    ("layers", "blobs", "words"),
    [
        ((COSIGN,), payload(COSIGN, OLD.digest), f"speaks of {OLD.digest}, and its tag of {NEW.digest}"),
        ((DSSE,), payload(DSSE, OLD.digest), f"speaks of {OLD.digest}"),
        ((COSIGN, DSSE), payload(COSIGN, NEW.digest) | payload(DSSE, OLD.digest), "says not what it is about"),
        ((COSIGN,), {}, "says not what it is about"),
        ((COSIGN,), {sha(COSIGN): "[]"}, "says not what it is about"),
        ((DSSE,), {sha(DSSE): json.dumps({"payload": "%%%"})}, "says not what it is about"),
        (("text/plain",), {}, "says not what it is about"),
    ],
)
@pytest.mark.parametrize("suffix", [".sig", ".att"])
def test_a_signature_under_a_tag_has_to_speak_of_what_the_tag_names(layers, blobs, words, suffix):
    """Another image's signature under the release's name is no referrer of it, nor is one that cannot be read."""
    manifest = artifact(CONFIG, layers)
    assert words in said([OLD], [LEFT, NEW, held(manifest, f"sha256-{HEX}{suffix}")], [manifest], blobs=blobs)


def test_a_signature_of_a_referrer_and_a_list_of_referrers_explain_themselves():
    """An SBOM, its signature, and the list of both under the released image's tag, as older clients keep it."""
    sbom = artifact(EMPTY, ("application/spdx+json",), NEW.digest, artifactType="application/spdx+json")
    signature = artifact(subject=sbom.digest)
    listed = index(sbom.digest)
    after = [LEFT, NEW, held(signature), held(sbom), held(listed, f"sha256-{HEX}")]
    assert said([OLD], after, [sbom, signature, listed]) == ""


def test_a_list_of_referrers_may_take_the_place_of_another():
    """The client writes a new list under the tag, and deletes the old one or leaves it untagged."""
    first, second = artifact(subject=OLD.digest), artifact(subject=OLD.digest, annotations={"n": "2"})
    tag = "sha256-" + OLD.digest.removeprefix("sha256:")
    was, is_ = index(first.digest), index(first.digest, second.digest)
    before = [OLD, held(first), held(was, tag)]
    new = [held(second), held(is_, tag)]
    assert said(before, [LEFT, NEW, held(first), *new], [second, is_]) == ""
    assert said(before, [LEFT, NEW, held(first), *new, held(was)], [second, is_]) == ""
    assert "is not there" in said(before, [LEFT, NEW, held(first)])


IMAGE = artifact(CONFIG, (LAYER,))
FOREIGN = {
    "another image": (IMAGE, (), "another image that can be run"),
    "an image that calls itself a referrer": (
        artifact(CONFIG, (LAYER,), NEW.digest, artifactType=NOTARY), (), "another image that can be run"),
    "an image with zstd layers and a subject": (
        artifact(CONFIG, ("application/vnd.oci.image.layer.v1.tar+zstd",), NEW.digest), (), "can be run"),
    "an image that holds a layer beside a text": (
        artifact(CONFIG, (COSIGN, LAYER), NEW.digest), (), "can be run"),
    "an image without layers": (artifact(CONFIG, (), NEW.digest), (), "can be run"),
    "an image under a signature's tag": (IMAGE, (f"sha256-{HEX}.sig",), "can be run"),
    "a referrer of what is not there": (artifact(subject=sha("gone")), (), "which was not there before"),
    "an SBOM's tag of what is not there": (artifact(CONFIG, ("text/spdx",)), (f"sha256-{'0' * 64}.sbom",), "not there"),
    "another's signature under the release's tag": (
        artifact(subject=OLD.digest), (f"sha256-{HEX}",), "refers to several images"),
    "an artifact that refers to nothing": (artifact(), (), "refers to no image"),
    "an artifact under the bare tag of the OCI's scheme": (
        artifact(), (f"sha256-{HEX}",), "says not what it is about"),
    "a signature under a tag of its own": (artifact(subject=NEW.digest), ("v2.0.0",), "The tag v2.0.0"),
    "an index of images under a referrer's tag": (index(NEW.digest), (f"sha256-{HEX}",), "is no referrer of"),
    "an index that refers to the release, over an image": (
        index(OLD.digest, subject={"digest": NEW.digest}), (), "is no referrer of"),
    "an index over what is not there": (index(sha("gone")), (f"sha256-{HEX}",), "which is not there"),
    "an index with attestations, by BuildKit": (index(NEW.digest), (), "refers to no image"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_referrer_is_named_with_the_reason(name):
    """A tag, a subject, a media type: none of them alone makes a referrer."""
    manifest, tags, words = FOREIGN[name]
    assert words in said([OLD], [LEFT, NEW, held(manifest, *tags)], [manifest])


def test_what_could_not_be_looked_at_is_not_explained():
    """No manifest, another's manifest, no JSON, an unknown kind; or ECR's list tells of another subject."""
    manifest = artifact(subject=NEW.digest)
    image = held(manifest)
    assert "does not answer its manifest" in said([OLD], [LEFT, NEW, image])
    forged = replace(artifact(subject=OLD.digest), digest=manifest.digest)
    assert "does not answer its manifest" in said([OLD], [LEFT, NEW, image], [forged])
    for body, kind, words in (
        ("no", OCI_MANIFEST, "could not be looked at"),
        ("[]", OCI_MANIFEST, "could not be looked at"),
        ("{}", OCI_INDEX, "could not be looked at"),
        ("{}", "application/x", "the media type 'application/x'"),
    ):
        strange = StoredManifest(sha(body), kind, body)
        assert words in said([OLD], [LEFT, NEW, replace(image, digest=strange.digest)], [strange])
    assert "ECR says to" in said([OLD], [LEFT, NEW, replace(image, subject=OLD.digest)], [manifest])


def test_a_referrers_tag_on_an_image_that_was_there_is_not_explained():
    """Nobody lends an old image the name of the release's signature."""
    tag = f"sha256-{HEX}.sig"
    assert f"tag {tag}" in said([OLD], [replace(LEFT, tags=("v0.9.0", tag)), NEW], [IMAGE])


def test_what_has_to_be_looked_at_is_what_is_new():
    """New images, and what a referrer's tag names anew; neither the release nor what was known before."""
    tag, other = f"sha256-{HEX}.sig", "sha256-" + "1" * 64
    signed = replace(OLD, tags=("v0.9.0", other))
    new, standing = held(artifact(subject=OLD.digest)), older("standing", "v0.8.0")
    before = replace(BEFORE, images=(signed, standing))
    after = replace(BEFORE, images=(signed, replace(standing, tags=("v0.8.0", tag, "moved")), new, NEW))
    assert to_inspect(before, after, NEW.digest) == tuple(sorted([new.digest, standing.digest]))
    assert to_inspect(before, before, NEW.digest) == ()
    plain = replace(BEFORE, images=(signed, replace(standing, tags=("v0.8.0", "moved"))))
    assert to_inspect(before, plain, NEW.digest) == ()


def test_a_list_is_replaced_by_lists_and_by_nothing_else():
    """Its tags have to be referrers' tags, each of which names a referrer now."""
    tags = ["sha256-" + digest.removeprefix("sha256:") for digest in (OLD.digest, NEW.digest)]
    first, second = artifact(subject=OLD.digest), artifact(subject=NEW.digest)
    new = [held(index(each.digest), tag) for each, tag in zip((first, second), tags, strict=True)]
    manifests = [first, second, index(first.digest), index(second.digest)]
    standing = [LEFT, NEW, held(first), held(second), *new]

    def checked(*of_the_old, standing=standing):
        return said([OLD, held(first), older("list", *of_the_old)], standing, manifests)

    assert checked(tags[0]) == ""
    assert checked(*tags) == ""
    for changed in (
        checked("v7", tags[0]),
        checked("v7"),
        checked(),
        checked(tags[0] + ".sig"),
        checked(tags[0], "v0.9.0"),
    ):
        assert sha("list") in changed
    assert sha("list") in checked(*tags, standing=standing[:-1])
    archived = replace(older("list"), status="ARCHIVED")
    assert sha("list") in checked(tags[0], standing=[*standing, archived])


def test_a_new_image_is_named_with_what_it_is():
    """Size, media type and status, for whoever has to look for it."""
    foreign = held(IMAGE)
    assert f"was not there, and is 4000 bytes, {OCI_MANIFEST}, ACTIVE" in said([OLD], [LEFT, NEW, foreign], [IMAGE])


# --- the lifecycle policy at work -------------------------------------------------------------------------------

DAYS_14 = policy(rule(status="untagged", count=("sinceImagePushed", 14)))
KEEP_1 = policy(rule(status="untagged", count=("imageCountMoreThan", 1)))


@pytest.mark.parametrize(
    ("lifecycle", "before"),
    [
        (DAYS_14, [older("a")]),
        (KEEP_1, [older("a"), older("b", age=2)]),
        (policy(rule(status="any", count=("imageCountMoreThan", 2))), [older("a", "v0.1"), older("b", "v0.2", age=2)]),
        (policy(rule(status="tagged", tagPrefixList=["v0"], count=("sinceImagePulled", 19))), [older("a", "v0.1")]),
        # The rolling tags leave it in this release, and then the rule for untagged images is about it.
        (DAYS_14, [older("a", "candidate")]),
        (DAYS_14, [older("a", "candidate", "latest")]),
    ],
)
def test_what_the_policy_ends_explains_itself(lifecycle, before):
    """By age, by count with the release's own push, by pulls, and after a rolling tag has left it."""
    gone, *standing = before
    assert said([OLD, *before], [LEFT, NEW, *standing], lifecycle=lifecycle) == ""
    assert gone.digest in said([OLD, *before], [LEFT, NEW, *standing], lifecycle="{}")
    assert gone.digest in said([OLD, *before], [LEFT, NEW, *standing], lifecycle=lifecycle, now=None)


@pytest.mark.parametrize(
    ("lifecycle", "gone"),
    [
        (None, older("a")),
        ("not json", older("a")),
        (DAYS_14, older("a", age=13)),
        (DAYS_14, older("a", "v0.1")),
        (KEEP_1, older("a")),
        (policy(rule(status="untagged", count=("sinceImagePulled", 14), action="transition")), older("a")),
        (policy(rule(1, "untagged", ("sinceImagePushed", 99)), rule(2, "any", ("sinceImagePushed", 1))), older("a")),
    ],
)
def test_a_deletion_that_no_rule_explains_is_named(lifecycle, gone):
    """No policy, too young, another kind of tag, still within the count, only archived, or owned by another rule."""
    assert gone.digest in said([OLD, gone], [LEFT, NEW], lifecycle=lifecycle)


def test_a_policy_that_was_changed_meanwhile_explains_nothing():
    """Whoever sets a policy in order to delete is seen with both."""
    was = replace(BEFORE, images=(OLD, older("a")), lifecycle_policy=None)
    is_ = replace(BEFORE, images=(LEFT, NEW), lifecycle_policy=DAYS_14)
    words = "\n".join(map(str, check_otherwise_unchanged(Comparison(was, is_, TAGS, NEW.digest, now=NOW)).rejections))
    assert sha("a") in words
    assert "lifecycle policy" in words


def test_archiving_explains_itself_and_nothing_beside_it():
    """ACTIVE to ARCHIVED by a rule that archives; no other change of the image in its cover."""
    lifecycle = policy(rule(status="tagged", tagPrefixList=["v0"], count=("sinceImagePulled", 90), action="transition"))
    archived = replace(LEFT, status="ARCHIVED", archived_at=NOW)
    assert said([OLD], [archived, NEW], lifecycle=lifecycle) == ""
    assert "ARCHIVED" in said([OLD], [archived, NEW])
    assert OLD.digest in said([OLD], [replace(archived, size_bytes=11), NEW], lifecycle=lifecycle)
    assert OLD.digest in said([OLD], [replace(LEFT, status="ACTIVATING"), NEW], lifecycle=lifecycle)
    expires = policy(rule(status="tagged", tagPrefixList=["v0"], count=("sinceImagePulled", 90)))
    assert OLD.digest in said([OLD], [archived, NEW], lifecycle=expires)
    dusty = replace(LEFT, status="ARCHIVED", archived_at=NOW - timedelta(days=200))
    cellar = policy(rule(status="tagged", tagPrefixList=["v0"], count=("sinceImageTransitioned", 90),
                         storageClass="archive"))  # fmt: skip
    assert said([dusty], [NEW], lifecycle=cellar) == ""


def test_nothing_excuses_the_end_of_what_is_published():
    """The released image, one that a published tag names, and the signature of the release: whatever a rule says."""
    everything = policy(rule(status="any", count=("sinceImagePushed", 1)))
    names_it = older("a", "latest", "candidate")
    verifying = [replace(NEW, tags=("v1.0.0",)), names_it]
    assert "a published tag names it" in said(verifying, verifying[:1], lifecycle=everything)
    signature = older("s", subject=NEW.digest)
    cosign = older("c", f"sha256-{HEX}.sig")
    for gone in (signature, cosign):
        assert "a referrer of the released image" in said([OLD, NEW, gone], [OLD, NEW], lifecycle=everything)


def test_a_referrer_goes_after_its_subject():
    """Within the day in which the policy ended it; not alone, not sooner than 24 hours after it came."""
    subject = older("a")
    signature, young = older("s", "x", subject=subject.digest), older("s", "x", age=0.5, subject=subject.digest)
    of_that = older("t", "y", subject=signature.digest)
    assert said([OLD, subject, signature, of_that], [LEFT, NEW], lifecycle=DAYS_14) == ""
    assert young.digest in said([OLD, subject, young], [LEFT, NEW], lifecycle=DAYS_14)
    assert signature.digest in said([OLD, subject, signature], [LEFT, NEW, subject], lifecycle=DAYS_14)
    orphan = older("o", "z", subject=sha("gone long ago"))
    assert said([OLD, orphan], [LEFT, NEW], lifecycle=DAYS_14) == ""
    assert orphan.digest in said([OLD, orphan], [LEFT, NEW], lifecycle=None)
