"""`python -m gate.adopt.workflow_outputs ROLE DIR`: what a GitHub workflow takes from a release, for GITHUB_OUTPUT."""

from __future__ import annotations

import sys
from pathlib import Path

from gate.aws.partition import arn
from gate.release import Release
from gate.release_file import release_of


def workflow_outputs(release: Release, role: str) -> str:
    """The role to become, the region, the KMS key that signs, and the Python ("" for none).

    Args:
        release: as pytest.ini states it.
        role: the name of its attribute that names the role.
    """
    key = arn("kms", release.region, release.account, "alias/release-gate")
    found = {"role": release.role_arn(getattr(release, role)), "region": release.region, "key": key,
             "python": release.python_version}  # fmt: skip
    return "\n".join(f"{name}={value}" for name, value in found.items())


if __name__ == "__main__":
    print(workflow_outputs(release_of(Path(sys.argv[2], "pytest.ini")), sys.argv[1]))
