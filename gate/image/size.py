"""Sizes, and the limit that Lambda sets on them. Pure."""

from __future__ import annotations

from gate.check import ACCEPTED, CheckResult, check, reject

GB = 1_000_000_000


@check(6, known_bad=lambda: (10 * GB, 10, "uncompressed"))
def below(size_bytes: int, limit_gb: int, kind: str) -> CheckResult:
    """The image is smaller than the limit (Lambda quotas: 10 GB uncompressed, all layers together)."""
    if size_bytes <= 0:
        return reject(f"the {kind} size of the image is not known ({size_bytes} bytes)", f"the image, {kind}",
                      "ask by hand (docker image inspect, aws ecr describe-images)")  # fmt: skip
    if size_bytes < limit_gb * GB:
        return ACCEPTED
    return reject(
        f"the image is {size_bytes / GB:.2f} GB {kind}, and the limit is {limit_gb} GB",
        where=f"the image, {kind}",
        remedy="see the layer sizes in the report: the largest layer is the first place to look",
    )
