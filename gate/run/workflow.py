"""`python -m gate.run.workflow ROLE`: what a GitHub workflow takes from pytest.ini, as lines of GITHUB_OUTPUT."""

from __future__ import annotations

import sys
from pathlib import Path

from gate.aws.partition import arn
from gate.release import Release
from gate.release_file import release_of

ROOT = Path(__file__).parents[2]


def workflow_outputs(release: Release, role: str) -> str:
    """The role to become, the region, and the KMS key that signs.

    Args:
        release: as pytest.ini states it.
        role: the name of its attribute that names the role.
    """
    key = arn("kms", release.region, release.account, "alias/release-gate")
    return f"role={release.role_arn(getattr(release, role))}\nregion={release.region}\nkey={key}"


if __name__ == "__main__":
    print(workflow_outputs(release_of(ROOT / "pytest.ini"), sys.argv[1]))
