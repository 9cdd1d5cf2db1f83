"""How the registry and the repository are scanned."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gate.aws.calls import readable
from gate.aws.retry import RetryingClient
from gate.errors import ScanUnavailable
from gate.scan.statuses import Mode
from gate.text import plain

# ECR model, ScanFrequency: with these ECR scans by itself; with MANUAL, the only other, it does not.
BY_ITSELF = frozenset({"CONTINUOUS_SCAN", "SCAN_ON_PUSH"})


@dataclass(frozen=True)
class ScanSettings:
    """The scanning configuration as ECR answers it.

    Attributes:
        repository: the repository asked about.
        mode: the registry's scan type.
        frequency: what applies to the repository: SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL ("" when unknown).
        scan_on_push: whether a push starts a scan.
        filters: the filters of the registry's rules that ECR says apply to the repository.
        failure: ECR's reason when it has no configuration for the repository ("" when it has).
    """

    repository: str
    mode: Mode
    frequency: str
    scan_on_push: bool
    filters: tuple[str, ...]
    failure: str = ""

    @property
    def matching(self) -> tuple[str, ...]:
        """The applied filters that do match the repository's name."""
        return tuple(pattern for pattern in self.filters if filter_matches(pattern, self.repository))


def filter_matches(pattern: str, repository: str) -> bool:
    """ECR's WILDCARD filter (ECR user guide): `*` is any text; without one it matches names that contain it."""
    if "*" not in pattern:
        return pattern in repository
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), repository) is not None


@readable("GetRegistryScanningConfiguration")
def read_settings(caller: RetryingClient, repository: str) -> ScanSettings:
    """Ask GetRegistryScanningConfiguration and BatchGetRepositoryScanningConfiguration.

    Raises:
        ScanUnavailable: the answer names no kind of scanning that the gate knows, or not this repository.
        AwsRefused: the call is refused.
    """
    registry = caller.ask("get_registry_scanning_configuration", needs="scanningConfiguration")["scanningConfiguration"]
    word = str(registry.get("scanType") or "")
    if word not in Mode.__members__:
        raise ScanUnavailable(
            f"The registry's scanning configuration names the scan type {plain(word)!r}; known are BASIC and ENHANCED",
            where="GetRegistryScanningConfiguration",
            remedy="set the registry's scan type with PutRegistryScanningConfiguration",
        )
    answer = caller.ask(
        "batch_get_repository_scanning_configuration", needs="scanningConfigurations", repositoryNames=[repository]
    )
    failures = [f for f in answer.get("failures") or [] if f.get("repositoryName") == repository]
    listed = [c for c in answer.get("scanningConfigurations") or [] if c.get("repositoryName") == repository]
    if not listed:
        reason = plain(str(failures[0].get("failureCode") or "a failure without a code")) if failures else "not listed"
        return ScanSettings(repository, Mode[word], "", False, (), reason)
    own = listed[0]
    filters = tuple(plain(str(f.get("filter", ""))) for f in own.get("appliedScanFilters") or [])
    frequency = str(own.get("scanFrequency") or "")
    return ScanSettings(repository, Mode[word], frequency, bool(own.get("scanOnPush")), filters)
