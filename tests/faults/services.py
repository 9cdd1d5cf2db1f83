"""Faults in the world around the image: really set on the local target, through its APIs, and really read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from gate.registry.manifest import OCI_INDEX, OCI_MANIFEST
from localaws import behaviours
from tests.faults.builder import built_with_attestations
from tests.faults.facts import put
from tests.faults.stage import OLDER, Stage, quick, recorded, seeded
from tests.local_target.fault_proxy import ALWAYS, FaultInjectingProxy, InjectedFault
from tests.local_target.registry_client import RegistryClient, login

_DOCUMENTS = ("policyText", "lifecyclePolicyText", "PolicyDocument", "AssumeRolePolicyDocument")
_FAULT = "fault"
# Calls of ECR that name no repository.
_OF_THE_REGISTRY = ("tag_resource", "untag_resource", "put_registry_scanning_configuration",
                    "put_signing_configuration", "put_replication_configuration")  # fmt: skip
# The tag of the image that the rolling tag names before a release.
ANOTHER = "v0.8.0"


def live(world, spec, on: Stage, around: ExitStack):
    """The world after the calls of a fault were made, read anew as far as the fault says.

    The specification: `before` and `after` publishing, calls; `behaves`, what the target does by itself while it is
    published to; `door`, answers that are broken; `looks`, what is read anew: ecr, scan, access, zip. What was begun
    (a door, a role's policy) ends with `around`, after the judgement.
    """
    looks = set(spec["looks"])
    if "access" in looks:
        around.enter_context(_roles_put_right(on, spec))
    if "zip" in looks:
        world = replace(world, legacy_before=on.reader.zip_function.snapshot())
    if {"ecr", "scan"} & looks:
        world = _published(world, spec, on)
    make_calls(spec.get("after", ()), on, world)
    endpoint = around.enter_context(_door(spec["door"], on, world)).endpoint if "door" in spec else None
    return _read(world, looks, on, endpoint, spec)


def _published(world, spec, on):
    """A repository of its own for the fault, and the good image published into it; what stands there may stay."""
    as_ever = not {"before", "behaves"} & set(spec)
    if as_ever and on.standing is not None:
        world = replace(world, **on.standing)
        assert on.reader.ecr.snapshot() == world.published.after, "the release stands as it was published"
        return world
    seeded(on)
    make_calls(spec.get("before", ()), on, world)
    release_client = on.release_client()
    on.target.set_behaviours(behaviours.parse(" ".join(spec.get("behaves", ()))))
    try:
        release = on.publish(release_client)
    finally:
        on.target.set_behaviours(behaviours.Behaviours())
    calls = release_client.call_log.calls
    found = {"published": release, "answered": release_client.verify(release.digest), "calls": calls}
    on.standing = found if as_ever else None
    return replace(world, **found)


def _read(world, looks, on, endpoint, spec):
    if "zip" in looks:
        world = replace(world, legacy_now=on.reader.zip_function.snapshot())
    if "access" in looks:
        world = replace(world, access=on.account())
    if "ecr" in looks:
        release_client = on.release_client(endpoint) if endpoint else on.reader
        world = replace(world, ecr=release_client.ecr, managed=replace(release_client.managed, time=quick()))
        digest = spec.get("checks")
        if digest:
            # The digest that this fault puts in the release's place is what a verifying run would look at.
            now = release_client.verify(release_client.ecr.snapshot().naming()[digest])
            world = replace(world, published=replace(now, steps=world.published.steps), answered=now)
    if "scan" in looks:
        world = replace(world, scanner=on.scanner(endpoint))
    return world


def make_calls(calls, on, world):
    """Make calls of a fault; `on` gives clients of the target, `world.published` what a call may speak of."""
    for each in calls:
        words = {"{digest}": world.published.digest, "{hex}": world.published.digest.removeprefix("sha256:"),
                 "{leftover}": _digest(_leftover(world.published.manifest.body))}  # fmt: skip
        parameters = {key: _text(key, value, words) for key, value in each.get("with", {}).items()}
        if each["service"] == "ecr":
            on.standing = None
            parameters.setdefault("repositoryName", on.seeded.repository)
        if each["call"] == "put_image":
            parameters |= _manifest(parameters.pop("manifest"), on, world)
        if each["call"] in _OF_THE_REGISTRY:
            parameters.pop("repositoryName")
        try:
            getattr(on.client(each["service"]), each["call"])(**parameters)
        except ClientError as refusal:
            raise AssertionError(f"the local target refused {each['call']}: {refusal}") from refusal
        if each["service"] == "lambda":
            _settled(on)


def _text(key, value, words):
    if key in _DOCUMENTS:
        return json.dumps(value)
    if isinstance(value, dict):
        return {name: _text(name, inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_text(key, inner, words) for inner in value]
    for word, meant in words.items():
        value = value.replace(word, meant) if isinstance(value, str) else value
    return value


def _digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _leftover(body):
    """The released image in other bytes: an image that a withdrawn candidate left behind."""
    return body + "\n\n\n"


def _referrer(kind, on, stored):
    """A signature by ECR, one by cosign, an SBOM; or the image itself, which says that it is a signature."""
    body = json.loads(stored.body)
    config, layer, about = _REFERRERS[kind]
    speaks_of = stored.digest if kind == "cosign" else _digest(_leftover(stored.body))
    content = json.dumps({"critical": {"image": {"docker-manifest-digest": speaks_of}}}).encode()
    digest = RegistryClient(on.target.registry, login(on.client("ecr"))).upload(on.seeded.repository, content)
    # Any blob that the registry holds will do for a config: nobody reads it.
    whole = {"schemaVersion": 2, "config": {**body["config"], "mediaType": config},
             "layers": [{"mediaType": layer, "digest": digest, "size": len(content)}]}  # fmt: skip
    if kind == "forged":
        whole["layers"] = body["layers"]
    if not kind.startswith("cosign"):
        whole |= about
        whole["subject"] = {"mediaType": stored.media_type, "digest": stored.digest, "size": len(stored.body)}
    return {"imageManifest": json.dumps(whole), "imageManifestMediaType": OCI_MANIFEST}


_IMAGE_CONFIG, _NOTARY = "application/vnd.oci.image.config.v1+json", "application/vnd.cncf.notary.signature"
_COSIGN = (_IMAGE_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json", {})
_REFERRERS = {
    "signature": (_NOTARY, "application/jose+json", {}),
    "cosign": _COSIGN,
    "cosign, of another image": _COSIGN,
    "sbom": ("application/vnd.oci.empty.v1+json", "application/spdx+json", {"artifactType": "application/spdx+json"}),
    "forged": (_IMAGE_CONFIG, "", {"artifactType": _NOTARY}),
}


def _manifest(kind, on, world):
    """An older image, one with another config, a referrer, or an index over the released one as BuildKit makes it."""
    stored = world.published.manifest
    if kind in _REFERRERS:
        return _referrer(kind, on, stored)
    if kind in ("leftover", "older leftover"):
        text = _leftover(stored.body) + ("\n" if kind.startswith("older") else "")
        return {"imageManifest": text, "imageManifestMediaType": stored.media_type}
    if kind == "other":
        body = json.loads(stored.body)
        # Any blob that the registry holds will do: nobody has to start this image.
        body["config"] |= {key: body["layers"][0][key] for key in ("digest", "size")}
        return {"imageManifest": json.dumps(body), "imageManifestMediaType": stored.media_type}
    if kind == "older":
        return {"imageManifest": stored.body + "\n\n", "imageManifestMediaType": stored.media_type}
    platform = {"os": "linux", "architecture": "amd64"}
    entry = {"mediaType": stored.media_type, "digest": stored.digest, "size": len(stored.body), "platform": platform}
    attested = {**entry, "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}  # fmt: skip
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, attested]}
    return {"imageManifest": json.dumps(index), "imageManifestMediaType": OCI_INDEX}


def _settled(on):
    on.client("lambda").get_waiter("function_updated_v2").wait(
        FunctionName=on.seeded.zip_function, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
    )


@dataclass
class Later(InjectedFault):
    """A fault that strikes only when the door has seen an operation."""

    after: str = ""
    door: FaultInjectingProxy | None = None

    def affects(self, request):
        """Whether the fault strikes this request."""
        begun = self.door is None or any(each.operation == self.after for each in self.door.seen)
        return begun and super().affects(request)


def _door(faults, on, world):
    door = FaultInjectingProxy(on.target.registry)

    def fault(given):
        body = given.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        sent = text.replace("{digest}", world.published.digest).replace("{now}", str(world.now.timestamp()))
        sent = sent.replace("{this moment}", str(time.time()))
        return Later(**{"times": ALWAYS, **given, "body": sent.encode(), "door": door if "after" in given else None})

    door.faults += [fault(each) for each in faults]
    return door


@contextlib.contextmanager
def _roles_put_right(on, spec):
    """Whatever a fault does to roles, policies or the repository's policy is undone."""
    iam, ecr = on.client("iam"), on.client("ecr")
    calls = [*spec.get("before", ()), *spec.get("after", ())]
    roles = {each["with"]["RoleName"] for each in calls if each["service"] == "iam"}
    trusts = {each["RoleName"]: each["AssumeRolePolicyDocument"] for each in iam.list_roles()["Roles"]}
    policy = ecr.get_repository_policy(repositoryName=on.seeded.repository)["policyText"]
    try:
        yield
    finally:
        for role in roles:
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role_policy(RoleName=role, PolicyName=_FAULT)
            if role in trusts:
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trusts[role]))
            else:
                iam.delete_role(RoleName=role)
        ecr.set_repository_policy(repositoryName=on.seeded.repository, policyText=policy)


def pipeline(world, files, folder):
    """A repository whose zip pipeline was tagged at its last release and edited since."""
    folder.mkdir(parents=True)
    run = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *words],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    run("init")
    for moment in ("then", "now"):
        for name, text in files.get(moment, {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        if moment == "then":
            run("add", ".")
            run("commit", "-m", "the zip pipeline")
            if files.get("tag", True):
                run("tag", OLDER)
    for name in files.get("gone", ()):
        (folder / name).unlink()
    return put(replace(world, repository=folder), {"release.zip_paths": files["paths"]})


def released(world, spec, on: Stage, around: ExitStack, folder):
    """A seeded target for a whole release; `before`: calls, `door`: answers that are broken.

    With `rolling: another`, the rolling tag names another image before the release, which has a tag of its own too;
    with `builder: attests by default`, the image comes from a build host on which that is so.
    """
    if spec.get("builder") == "attests by default":
        built = built_with_attestations(on, folder / "builder")
        world = replace(world, candidate=recorded(on, built.image_id))
    around.enter_context(_roles_put_right(on, spec))
    seeded(on)
    for tag in (ANOTHER, on.release.rolling_tag) if spec.get("rolling") == "another" else ():
        put = {"service": "ecr", "call": "put_image", "with": {"manifest": "other", "imageTag": tag}}
        make_calls([put], on, world)
    make_calls(spec.get("before", ()), on, world)
    if "door" in spec:
        endpoint = around.enter_context(_door(spec["door"], on, world)).endpoint
        endpoints = {"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_ECR": endpoint}
        world = replace(world, environment={**world.environment, **endpoints})
    return world


def tags_of(on: Stage) -> set[str]:
    """The tags that the registry holds now."""
    return set(on.reader.ecr.snapshot().naming())
