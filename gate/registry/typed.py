"""The commands of a release, as a person would type them: for the diary of a run, and for its plan."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from gate.aws.partition import registry_host

WHOAMI = "aws sts get-caller-identity"


@dataclass(frozen=True)
class Typed:
    """Commands about one repository.

    Attributes:
        account: the twelve-digit account.
        region: of the repository.
        repository: its name.
    """

    account: str
    region: str
    repository: str

    @property
    def host(self) -> str:
        """The registry's host."""
        return registry_host(self.account, self.region)

    def baseline(self, function: str) -> str:
        """The reading that begins the zip function's baseline."""
        return self._aws("lambda", "get-function", function_name=function)

    def login(self) -> str:
        """Logging in to the registry."""
        password = self._aws("ecr", "get-login-password")
        return f"{password} | docker login --username AWS --password-stdin {self.host}"

    def push(self, tag: str) -> str:
        """Pushing an image under a tag."""
        return f"docker push {self.host}/{self.repository}:{tag}"

    def pull(self, digest: str) -> str:
        """Pulling what is published."""
        return f"docker pull {self.host}/{self.repository}@{digest}"

    def request_scan(self, digest: str) -> str:
        """Asking for a scan of a digest."""
        return self._ecr("start-image-scan", image_id=f"imageDigest={digest}")

    def put_image(self, digest: str, tag: str) -> str:
        """Making a tag name a digest that the repository holds."""
        body = self._ecr("batch-get-image", image_ids=f"imageDigest={digest}")
        get = f'"$({body} --query images[0].imageManifest --output text)"'
        return f"{self._ecr('put-image', image_tag=tag, image_digest=digest)} --image-manifest {get}"

    def describe_images(self) -> str:
        """Reading back what the repository holds."""
        return self._ecr("describe-images")

    def _ecr(self, operation: str, **options: str) -> str:
        return self._aws("ecr", operation, repository_name=self.repository, **options)

    def _aws(self, service: str, operation: str, **options: str) -> str:
        words = ["aws", service, operation]
        for option, value in options.items():
            words += [f"--{option.replace('_', '-')}", value]
        return shlex.join([*words, "--region", self.region])
