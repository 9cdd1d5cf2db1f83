"""The story's own commands, with clients that nobody here wrote: the AWS CLI, docker, skopeo and ORAS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from localaws.target import LocalTarget
from tests.local_target.clients import aws_cli, oras, skopeo
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker

# The story's sequence (Dev Notes, Testing). Only the registry host and the local image's name are put in.
STORY = """\
docker tag {image} {host}/naver-sms-automation:{release}
docker tag {image} {host}/naver-sms-automation:latest
aws ecr get-login-password --region ap-northeast-2 | docker login --username AWS --password-stdin {host}
docker push {host}/naver-sms-automation:{release}
docker push {host}/naver-sms-automation:latest
"""
DESCRIBE = "aws ecr describe-images --repository-name naver-sms-automation --image-ids imageTag={tag}"
SCAN = "aws ecr start-image-scan --repository-name naver-sms-automation --image-id imageTag={tag}"
FINDINGS = "aws ecr describe-image-scan-findings --repository-name naver-sms-automation --image-id imageTag={tag}"
WAIT = "aws ecr wait image-scan-complete --repository-name naver-sms-automation --image-id imageTag={tag}"


class Shell:
    """A shell with the target's exports; it removes the tags that the commands made."""

    def __init__(self, environment: dict[str, str], host: str) -> None:
        self.environment = {**environment, "PATH": f"{aws_cli()}:{environment['PATH']}"}
        self.host = host

    def run(self, commands: str, **values: str) -> subprocess.CompletedProcess[str]:
        """Run the commands; the first that fails ends them."""
        script = f"set -euo pipefail\n{commands.format(host=self.host, **values)}"
        return subprocess.run(
            ["bash", "-c", script], env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )

    def answer(self, command: str, **values: str) -> Any:
        """Run one AWS CLI command; answers its JSON."""
        done = self.run(command, **values)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def shell(docker_environment: dict[str, str], target: LocalTarget, engine: docker.DockerClient) -> Iterator[Shell]:
    """The CI role's shell."""
    yield Shell(docker_environment, target.registry)
    for references in ("RepoTags", "RepoDigests"):  # a tag that moved leaves an image that has only a digest
        for image in engine.api.images():
            for name in image[references] or []:
                if name.startswith(target.registry) and not name.endswith((":<none>", "@<none>")):
                    engine.api.remove_image(name, force=True)


def test_the_storys_commands_publish_and_scan(shell: Shell, tiny: Callable[[str], str], owner: Any) -> None:
    """Login, two pushes, describe-images, a scan and its findings work with the AWS CLI and docker unchanged."""
    done = shell.run(STORY, image=tiny("the release"), release="v1.0.0")
    assert done.returncode == 0, done.stderr
    release = shell.answer(DESCRIBE, tag="v1.0.0")["imageDetails"]
    latest = shell.answer(DESCRIBE, tag="latest")["imageDetails"]
    assert release == latest
    assert sorted(release[0]["imageTags"]) == ["latest", "v1.0.0"]
    begun = shell.answer(SCAN, tag="v1.0.0")
    assert begun["imageScanStatus"]["status"] == "IN_PROGRESS"
    assert shell.run(WAIT, tag="latest").returncode == 0
    found = shell.answer(FINDINGS, tag="latest")["imageScanFindings"]
    assert found["findingSeverityCounts"] == {"CRITICAL": 1}
    assert found["findings"][0]["name"] == "CVE-2023-4863"
    again = shell.run(SCAN, tag="latest")
    assert "LimitExceededException" in again.stderr


def test_a_release_tag_is_pushed_once(shell: Shell, tiny: Callable[[str], str]) -> None:
    """A second image under the same release tag is refused by docker push; under `latest` it is taken."""
    assert shell.run(STORY, image=tiny("the first"), release="v2.0.0").returncode == 0
    refused = shell.run(STORY, image=tiny("the second"), release="v2.0.0")
    assert refused.returncode != 0
    assert "tag invalid: The image tag 'v2.0.0' already exists" in refused.stderr
    assert shell.run(f"docker push {shell.host}/naver-sms-automation:latest").returncode == 0


def test_docker_login_with_a_wrong_password_is_refused(shell: Shell) -> None:
    """A password that was not issued does not log in."""
    done = shell.run("echo wrong | docker login --username AWS --password-stdin {host}")
    assert done.returncode != 0
    assert "401 Unauthorized" in done.stderr


def test_pushing_to_an_unknown_repository_is_refused(
    shell: Shell, tiny: Callable[[str], str], target: LocalTarget
) -> None:
    """As on ECR, a push creates no repository."""
    shell.environment |= target.environment(SEEDED.administrator)
    commands = STORY.replace("/naver-sms-automation:", "/no-such-repository:")
    done = shell.run(commands, image=tiny("lost"), release="v1.0.0")
    assert done.returncode != 0
    assert "name unknown: The repository with name 'no-such-repository' does not exist" in done.stderr


def test_a_role_that_may_only_read_cannot_push(shell: Shell, tiny: Callable[[str], str], target: LocalTarget) -> None:
    """The developer logs in, and an error names the missing action when pushing and when pulling."""
    shell.environment |= target.environment(SEEDED.developer)
    pushed = shell.run(STORY, image=tiny("by the developer"), release="v3.0.0")
    assert pushed.returncode != 0
    assert f"{SEEDED.developer}/rehearsal is not authorized to perform: ecr:" in pushed.stderr
    pulled = shell.run("docker pull {host}/naver-sms-automation:latest")
    assert "not authorized to perform: ecr:BatchGetImage" in pulled.stderr


def test_a_wrong_secret_is_refused(shell: Shell) -> None:
    """The signature of a control call is checked."""
    shell.environment["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
    done = shell.run(DESCRIBE, tag="latest")
    assert "InvalidSignatureException" in done.stderr


def test_skopeo_copies_in_and_out(shell: Shell, tiny: Callable[[str], str], tmp_path: Path, ecr: Any) -> None:
    """Another client's push keeps its digest, in the OCI form too, and its copy out is the same image."""
    password = shell.run("aws ecr get-login-password").stdout.strip()
    credential = ["--dest-tls-verify=false", "--dest-creds", f"AWS:{password}"]
    saved = tmp_path / "image.tar"
    assert shell.run(f"docker save -o {saved} {tiny('by skopeo')}").returncode == 0
    reference = f"docker://{shell.host}/naver-sms-automation:by-skopeo"
    _skopeo("copy", "--format", "oci", *credential, f"docker-archive:{saved}", reference)
    described = ecr.describe_images(repositoryName=SEEDED.repository, imageIds=[{"imageTag": "by-skopeo"}])[
        "imageDetails"
    ][0]
    assert described["imageManifestMediaType"] == "application/vnd.oci.image.manifest.v1+json"
    inspected = json.loads(_skopeo("inspect", "--tls-verify=false", "--creds", f"AWS:{password}", reference))
    assert inspected["Digest"] == described["imageDigest"]
    out = ["--src-tls-verify=false", "--src-creds", f"AWS:{password}"]
    _skopeo("copy", *out, reference, f"oci:{tmp_path}/out:copied")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == described["imageDigest"]


ATTACH = """
import sys
import oras.client, oras.oci
host, password, repository, digest, size, sbom = sys.argv[1:]
client = oras.client.OrasClient(hostname=host, insecure=True, auth_backend="basic")
client.auth.set_basic_auth("AWS", password)
subject = oras.oci.Subject("application/vnd.docker.distribution.manifest.v2+json", digest, int(size))
pushed = client.push(target=f"{host}/{repository}:sbom", files=[f"{sbom}:application/spdx+json"], subject=subject,
                     disable_path_validation=True, quiet=True)
print(pushed.headers["OCI-Subject"])
for tag in client.get_tags(f"{host}/{repository}"):
    print(tag)
print(*client.pull(target=f"{host}/{repository}:sbom", outdir=sbom + ".pulled"))
"""


def test_oras_attaches_an_sbom_that_is_then_found(
    shell: Shell, tiny: Callable[[str], str], tmp_path: Path, owner: Any, repository: str, target: LocalTarget
) -> None:
    """ECR's own operation lists it, and the AWS CLI tells it from an image."""
    shell.environment |= target.environment(SEEDED.administrator)
    commands = STORY.replace("/naver-sms-automation:", f"/{repository}:")
    done = shell.run(commands, image=tiny("with an SBOM"), release="v1.0.0")
    assert done.returncode == 0, done.stderr
    (image,) = owner.describe_images(repositoryName=repository)["imageDetails"]
    (tmp_path / "sbom.json").write_text('{"spdxVersion": "SPDX-2.3"}')
    password = shell.run("aws ecr get-login-password").stdout.strip()
    digest, size = image["imageDigest"], str(image["imageSizeInBytes"])
    said = oras(ATTACH, shell.host, password, repository, digest, size, str(tmp_path / "sbom.json")).split()
    assert said[:4] == [digest, "latest", "sbom", "v1.0.0"]
    assert Path(said[4]).read_text() == '{"spdxVersion": "SPDX-2.3"}'
    subject = f"--repository-name {repository} --subject-id imageDigest={digest}"
    (found,) = shell.answer(f"aws ecr list-image-referrers {subject}")["referrers"]
    details = owner.describe_images(repositoryName=repository, imageIds=[{"imageTag": "sbom"}])["imageDetails"][0]
    assert (found["digest"], details["subjectManifestDigest"]) == (details["imageDigest"], digest)


def _skopeo(*arguments: str) -> str:
    command = [skopeo(), "--insecure-policy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
