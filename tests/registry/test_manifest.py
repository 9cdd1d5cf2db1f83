"""What Lambda admits: manifests of every kind, and text that is none."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.registry.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1,
    StoredManifest,
    UnreadableManifest,
    check_admission,
    check_bytes,
    check_same_config,
    read_manifest,
)

D = "sha256:" + "d" * 64
GOOD = {
    DOCKER_MANIFEST: (
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
    OCI_MANIFEST: ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
}


def stored(media_type, config, layers, **more):
    """A manifest as the registry would answer it."""
    blobs = [{"mediaType": each, "digest": D, "size": 7} for each in layers]
    body = {"schemaVersion": 2, "config": {"mediaType": config, "digest": D, "size": 3}, "layers": blobs, **more}
    return StoredManifest(D, media_type, json.dumps(body))


def said(result):
    """All that a judgement says."""
    return "\n".join(map(str, result.rejections))


@pytest.mark.parametrize("media_type", GOOD)
def test_both_formats_that_lambda_admits_are_accepted(media_type):
    """Docker v2 schema 2 and OCI, gzip layers, linux/amd64."""
    config, layer = GOOD[media_type]
    manifest = stored(media_type, config, [layer, layer], mediaType=media_type)
    assert check_admission(manifest, "linux/amd64").accepted
    read = read_manifest(manifest)
    assert [each.size for each in (read.config, *read.layers)] == [3, 7, 7]


def test_an_index_with_attestations_is_refused_with_the_way_out():
    """BuildKit's default push is named as what it is."""
    entries = [
        {"mediaType": OCI_MANIFEST, "digest": D, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}},
        {
            "mediaType": OCI_MANIFEST,
            "digest": D,
            "size": 1,
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        },
    ]
    index = StoredManifest(D, OCI_INDEX, json.dumps({"mediaType": OCI_INDEX, "manifests": entries}))
    words = said(check_admission(index, "linux/amd64"))
    assert "OCI index with BuildKit attestations" in words
    assert "--provenance=false" in words
    assert D in words


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_of_any_kind_is_refused(media_type):
    """A list of images is not an image, with attestations or without."""
    assert "not one image" in said(check_admission(StoredManifest(D, media_type, '{"manifests": []}'), "linux/amd64"))


@pytest.mark.parametrize("media_type", [SCHEMA_1, "application/vnd.example+json", ""])
def test_an_unknown_manifest_is_refused(media_type):
    """What is not known to be admitted is not admitted."""
    config, layer = GOOD[OCI_MANIFEST]
    assert "does not admit" in said(check_admission(stored(media_type, config, [layer]), "linux/amd64"))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("application/vnd.oci.image.layer.v1.tar+zstd", "zstd"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "is a foreign layer"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "is a foreign layer"),
        ("application/vnd.oci.image.layer.v1.tar", "has the media type"),
        ("application/vnd.in-toto+json", "has the media type"),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "has the media type"),
    ],
)
def test_one_wrong_layer_is_enough(layer, words):
    """Each layer is looked at, and the wrong one is named by number and digest."""
    config, good = GOOD[OCI_MANIFEST]
    text = said(check_admission(stored(OCI_MANIFEST, config, [good, layer]), "linux/amd64"))
    assert "Layer 2" in text
    assert words in text
    assert D in text


def test_a_config_of_another_kind_is_refused():
    """An artifact (a chart, a signature) is not an image."""
    _, layer = GOOD[OCI_MANIFEST]
    manifest = stored(OCI_MANIFEST, "application/vnd.cncf.helm.config.v1+json", [layer])
    assert "helm.config" in said(check_admission(manifest, "linux/amd64"))


@pytest.mark.parametrize("platform", ["linux/arm64", "windows/amd64", ""])
def test_another_platform_is_refused(platform):
    """The release is for one platform."""
    config, layer = GOOD[DOCKER_MANIFEST]
    assert "linux/amd64" in said(check_admission(stored(DOCKER_MANIFEST, config, [layer]), platform))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"layers": []}',
        '{"config": {}, "layers": [{}]}',
        '{"mediaType": "%s", "layers": [1]}' % OCI_INDEX,  # noqa: UP031
        "[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_refused(body):
    """Garbage instead of a manifest is a NO-GO for every check of it."""
    manifest = StoredManifest(D, OCI_MANIFEST, body)
    assert not check_admission(manifest, "linux/amd64").accepted
    assert not check_same_config(manifest, D).accepted
    assert not check_bytes(manifest).accepted


@pytest.mark.parametrize("size", [-1, True, "7", None, 1.5])
def test_a_size_that_is_no_size_is_refused(size):
    """Sizes are whole numbers of bytes."""
    config, layer = GOOD[OCI_MANIFEST]
    body = json.loads(stored(OCI_MANIFEST, config, [layer]).body)
    body["layers"][0]["size"] = size
    with pytest.raises(UnreadableManifest, match="size"):
        read_manifest(StoredManifest(D, OCI_MANIFEST, json.dumps(body)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["config", "layers", "mediaType", "digest"]), inner)
    ),
)


@given(st.sampled_from([OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX]), JSON | st.text())
def test_no_foreign_text_is_admitted_or_crashes_the_checks(media_type, value):
    """Whatever the registry answers, the checks answer: and never yes to what is no manifest."""
    manifest = StoredManifest(D, media_type, value if isinstance(value, str) else json.dumps(value))
    assert not check_admission(manifest, "linux/amd64").accepted
    assert not check_same_config(manifest, D).accepted


def changed(**change):
    """A good manifest with fields of its config changed; `layers` replaces all layers."""
    config, layer = GOOD[OCI_MANIFEST]
    body = json.loads(stored(OCI_MANIFEST, config, [layer]).body)
    body["layers"] = change.pop("layers", body["layers"])
    body["config"] |= change
    return StoredManifest(D, OCI_MANIFEST, json.dumps(body))


@pytest.mark.parametrize("layers", [[], {}, None, {"a": 1}, "layers", 7])
def test_layers_that_are_no_list_or_none_at_all_are_refused(layers):
    """An image without a layer is no image, and what is no list is not read as one."""
    with pytest.raises(UnreadableManifest, match="lists no layers"):
        read_manifest(changed(layers=layers))


@pytest.mark.parametrize(
    "field",
    [
        {"mediaType": None},
        {"mediaType": 7},
        {"digest": None},
        {"digest": 7},
        {"digest": D[:-1]},
        {"digest": D + "d"},
        {"digest": "sha512:" + "d" * 64},
        {"digest": D.upper()},
    ],
)
def test_a_descriptor_without_a_type_or_a_sha256_digest_is_refused(field):
    """One of both is not enough."""
    with pytest.raises(UnreadableManifest, match="without media type or sha256 digest"):
        read_manifest(changed(**field))


def test_an_empty_blob_is_one():
    """Zero bytes are a size."""
    assert read_manifest(changed(size=0)).config.size == 0


def test_a_manifest_is_what_its_digest_names():
    """The digest is of the bytes as they are answered."""
    body = changed().body
    right = StoredManifest("sha256:" + hashlib.sha256(body.encode()).hexdigest(), OCI_MANIFEST, body)
    assert check_bytes(right).accepted
    refused = said(check_bytes(StoredManifest(D, OCI_MANIFEST, body)))
    assert D in refused
    assert right.digest in refused


def test_the_registry_holds_the_config_that_was_checked():
    """Another image under the same tag is refused with both digests."""
    assert check_same_config(changed(), D).accepted
    other = "sha256:" + "e" * 64
    refused = said(check_same_config(changed(), other))
    assert D in refused
    assert other in refused
