"""One run: what its hooks and fixtures share, and what it has learnt about the release by now."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.aws.calls import CallLog
from gate.aws.endpoint_recorder import EndpointRecorder
from gate.check import SelfTest
from gate.evidence.deployment_notes import ReleaseStep
from gate.evidence.run_record import Configuration, overridden
from gate.evidence.store import EvidenceStore
from gate.options import Options
from gate.release import Release
from gate.report.terminal import Terminal
from gate.report.timeline import Timeline
from gate.run.environment import ClockCheck
from gate.verdict import Kind, NotPart, ScenarioOutcome, Verdict

if TYPE_CHECKING:
    from gate.access.matrix import Matrix
    from gate.candidate import Candidate
    from gate.errors import WrongUse
    from gate.publish.publication import AcceptedRelease, Promotion, Publication
    from gate.publish.release_client import ReleaseClient
    from gate.scan.exceptions.entries import Register
    from gate.scan.report import ScanReport
    from gate.scenarios.features import Scenario


@dataclass(slots=True)
class Facts:
    """What fixtures and steps have learnt about the release; None, 0 or "" is what is not known (yet).

    Attributes:
        identity: the ARN of the caller.
        unidentified: why a nightly rescan could not find out its caller.
        candidate: the candidate image.
        image_id: its ID.
        uncompressed_bytes: its size.
        digest: of the candidate that was pushed, or of the release.
        tags: those that name the digest.
        size_bytes: its compressed size.
        publication: the release as it is published.
        unpromoted: the digest of a candidate that was pushed and has no other tag (yet).
        promotion: the record of this run's promotion.
        standing: after a refusal: what the published tags name now, as a sentence.
        scan_report: the scan of the digest.
        register: the register of exceptions.
        matrix: who can do what in the repository.
        reviewed: principal and permission group of every review in force.
        difference: to the previous release, as a sentence.
        accepted: the release that --promote names, by the evidence of the run that accepted it.
        remarks: what a reader of the page should know of the run, a sentence each.
        warnings: what nobody has to decide today, and somebody will, a sentence each.
    """

    identity: str = ""
    unidentified: WrongUse | None = None
    candidate: Candidate | None = None
    image_id: str = ""
    uncompressed_bytes: int = 0
    digest: str = ""
    tags: tuple[str, ...] = ()
    size_bytes: int = 0
    publication: Publication | None = None
    unpromoted: str = ""
    promotion: Promotion | None = None
    standing: str = ""
    scan_report: ScanReport | None = None
    register: Register | None = None
    matrix: Matrix | None = None
    reviewed: tuple[tuple[str, str], ...] = ()
    difference: str = ""
    accepted: AcceptedRelease | None = None
    remarks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """The verdict of a run and the document that states it."""

    verdict: Verdict
    document: dict[str, Any]


@dataclass
class Run:
    """What the hooks and fixtures of one run share.

    Attributes:
        kind: full, partial or rescan.
        folder: where this run writes.
        root: the folder of pytest.ini.
        reports: the folder of all runs.
        local_state: the folder that keeps the local target's state.
        call_log: every AWS call of this run.
        scenarios: every scenario of features/, in its order, with the scenarios that are about this release.
        not_part: the scenarios that are about no part of this release.
        selected: how many scenarios about the image are going to be checked.
        endpoint_recorder: where every AWS client of this run asks.
        session: the boto3 session of an AWS run, once the caller is identified.
        facts: what is known about the release by now.
        steps: the build and what publishing did, in order.
        clock: sees whether this machine's clock runs evenly.
        configuration: what the run decides by; None where a test made the run.
        engine: the version of the Docker engine, once one answered.
        release_client: talks to AWS about the release, once it was needed.
        key: signs what the run states; opened once, when it begins. None: nothing is signed.
        at_end: what stays open until the verdict is on the disk.
        timeline: where the time goes.
    """

    kind: Kind
    folder: Path
    release: Release
    options: Options
    store: EvidenceStore
    terminal: Terminal
    root: Path
    reports: Path
    local_state: Path
    started: datetime
    call_log: CallLog = field(default_factory=CallLog)
    endpoint_recorder: EndpointRecorder = field(default_factory=EndpointRecorder)
    session: Any = None
    outcomes: list[ScenarioOutcome] = field(default_factory=list)
    proofs: tuple[SelfTest, ...] = ()
    expected: frozenset[str] = frozenset()
    scenarios: tuple[Scenario, ...] = ()
    not_part: tuple[NotPart, ...] = ()
    selected: int = 0
    errors: list[str] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    steps: list[ReleaseStep] = field(default_factory=list)
    results: Results | None = None
    clock: ClockCheck = field(default_factory=ClockCheck)
    configuration: Configuration | None = None
    engine: str = "unknown: none was asked"
    release_client: ReleaseClient | None = None
    key: Any = None
    at_end: ExitStack = field(default_factory=ExitStack)
    timeline: Timeline = field(default_factory=Timeline)

    @property
    def scans(self) -> Path:
        """Where every scan is recorded, for the nightly comparison and the history of each finding."""
        return self.reports / "rescan" / "scans"

    @property
    def endpoint_is_aws(self) -> bool:
        """False once a client was made that asks something else in AWS's place."""
        return self.options.target == "local" or not self.endpoint_recorder.elsewhere

    @property
    def target(self) -> str:
        """Where the release went: "aws", "local", or "aws-rehearsal" when an endpoint that is not AWS was asked."""
        if self.options.target == "local":
            return "local"
        return "aws" if self.endpoint_is_aws else "aws-rehearsal"

    @property
    def exception_scope(self) -> str:
        """Whose exceptions and exemptions apply, "aws" or "local": a simulation is never AWS."""
        return "aws" if self.target == "aws" else "local"

    @property
    def provenance(self) -> str:
        """What an observation outside the image is: real only when AWS itself was asked."""
        return "real" if self.target == "aws" else "simulated"

    @property
    def publishes(self) -> bool:
        """Whether this run releases; otherwise it looks at what was released."""
        return self.kind != "rescan" and (self.options.target == "local" or self.options.publish or self.promotes)

    @property
    def promotes(self) -> bool:
        """Whether this run gives the rolling tag to a release that an earlier run accepted (--promote)."""
        return self.kind == "promotion"

    @property
    def overridden(self) -> tuple[str, ...]:
        """What is decided by something else than the repository states: such a run is INCOMPLETE at most."""
        return overridden(self.configuration) if self.configuration else ()
