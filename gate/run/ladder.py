"""The ladder of a run: each rung is made once, from the rungs below it, when a claim first needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gate.access.fetch import Account
from gate.admission import holds
from gate.candidate import Base, Candidate
from gate.engine import Engine, connect
from gate.engine.orphans import end_orphans
from gate.errors import EngineUnavailable, EvidenceDamaged, GateError
from gate.image.build import BuiltImage, build_image
from gate.judgement import NoGo
from gate.legacy import baseline
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.desk import ReleaseDesk, Surroundings
from gate.registry.previous import ReleaseFacts
from gate.registry.publication import JudgedImage, Publication, Step
from gate.registry.refusals import ask
from gate.run.bases import STAND_IN, STAND_IN_CONTEXT, base_of
from gate.run.notes import metadata
from gate.run.notes import write as write_notes
from gate.run.plugin import Run
from gate.run.previous import FACTS, Difference, difference, latest_before, packages_of
from gate.run.publishing import publishing_run
from gate.run.scanning import scan_candidate
from gate.run.session import session_for
from gate.run.steps import note_build, note_publication
from gate.scan.read import Scanner
from gate.scan.records import ScanRecord, keep, read, read_all, record_of
from gate.scan.register.entries import Register
from gate.scan.register.reading import load

__all__ = ["STAND_IN", "STAND_IN_CONTEXT", "write_notes"]

# How long one call may be silent: a push of a large layer to a slow registry is, for minutes.
ENGINE_TIMEOUT_SECONDS = 300
BASELINE = "zip-baseline.json"
REGISTER = "exceptions.yaml"
Rungs = Callable[[str], Any]


@contextmanager
def engine(run: Run) -> Iterator[Engine]:
    """The Docker engine, swept of what dead runs left behind."""
    found = connect(ENGINE_TIMEOUT_SECONDS)
    try:
        swept = (*end_orphans(), *found.sweep())
        if swept:
            run.terminal.progress(f"removed what a dead run left behind: {', '.join(swept)}")
        yield found
    finally:
        found.close()


@contextmanager
def candidate(run: Run, docker: Engine, rungs: Rungs) -> Iterator[Candidate]:
    """The image under judgement: built, given by --image, or pulled by the published digest."""
    base, began = base_of(run, docker), datetime.now(UTC).isoformat(timespec="seconds")
    built, reference = _image(run, base, rungs)
    found = Candidate(
        docker, run.release, base, reference, built, run.options.image_context, run.root / ".cache" / "sbom"
    )
    if run.kind == "full":
        found.gather()
    run.store.digest = run.facts["image_id"] = found.image.image_id
    run.facts["uncompressed_bytes"] = found.image.size_bytes
    run.facts["candidate"] = found
    if built:
        note_build(run, built, began)
    try:
        yield found
    finally:
        found.close()


def _image(run: Run, base: Base, rungs: Rungs) -> tuple[BuiltImage | None, str]:
    options = run.options
    if options.image:
        return None, options.image
    if options.target == "aws" and not options.publish:
        desk: ReleaseDesk = rungs("desk")
        return None, desk.pull(desk.published_digest()).image
    built = build_image(
        options.image_context,
        tag=f"{run.release.repository}:latest",
        base_image=base.reference,
        version=run.release.release_tag,
        log=run.folder / "build.log",
        progress=run.terminal.progress,
    )
    return built, built.image_id


def local_state(run: Run) -> dict[str, Any]:
    """Where the local target's state is, and whether it is kept.

    A full run starts from the seeded state and leaves what the next night looks at. A restricted run would spoil
    that, so it has a state of its own, unless --keep asks for the other.
    """
    if run.kind == "partial" and not run.options.keep:
        return {"state": run.local_state.with_name(f"{run.local_state.name}-partial")}
    return {"state": run.local_state, "keep": run.options.keep or run.kind == "rescan"}


@contextmanager
def telling(refusal: type[Exception]) -> Iterator[None]:
    """What the local target refuses is no defect of the gate: its own sentence says why and what to do."""
    try:
        yield
    except refusal as error:
        raise EngineUnavailable(str(error), where="the local target") from error


def desk(run: Run, docker: Engine) -> ReleaseDesk:
    """Everything that talks to AWS about the release, by the ordinary AWS chain."""
    session = run.session or session_for(run.options)
    around = Surroundings(
        engine=docker.client.api,
        say=run.terminal.progress,
        on_step=lambda step: _note(run, step),
        learn_secret=lambda secret: run.store.redactor.learn([secret]),
        may_spoil=run.options.target == "local",
        profile=run.options.profile or "",
    )
    found = ReleaseDesk(session, run.release, run.ledger, around)
    run.facts["identity"] = found.caller.arn
    held = session.get_credentials().get_frozen_credentials()
    run.store.redactor.learn([held.secret_key, held.token or ""])
    return found


def _note(run: Run, step: Step) -> None:
    """Every step is evidence the moment it begins, and again when it has ended."""
    run.terminal.progress(f"{step.command}: {step.outcome}")
    run.store.record(f"step {step.number} {step.outcome.split(':')[0]}", step, asked=step.command, criterion=8)


def publication(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    """The release in the registry: published by this run, or as it was found."""
    release = _publish(run, found, rungs) if run.publishes else _verify(run, found, rungs)
    if run.publishes:
        note_publication(run, release)
    run.store.digest = release.digest
    run.facts.update(
        publication=release,
        digest=release.digest,
        tags=release.tags,
        size_bytes=release.compressed_bytes,
        pushed_at=release.pushed_at,
    )
    return release


def canaries(found: ReleaseDesk) -> dict[str, str]:
    """Secrets that are within reach of this run, and of which the redactor was not told: the environment's values.

    Raises:
        RegistryRefused: the zip function cannot be read.
    """
    client = found.client("lambda")
    answer = ask(client.get_function_configuration, "lambda:GetFunctionConfiguration", "the zip function's environment",
                 FunctionName=found.release.zip_function)  # fmt: skip
    values = answer.get("Environment", {}).get("Variables", {})
    # Shorter values ("INFO", "true") are words that stand in any report.
    return {f"the value of {name}": value for name, value in values.items() if len(value) >= 8}  # noqa: PLR2004


def previous_release(run: Run, release: Publication, image: Candidate) -> Difference:
    """The difference to the release before, kept as this release's own facts for the one after it."""
    init = image.handler_run.init.seconds
    packages = packages_of(image.sbom.components)
    facts = ReleaseFacts(
        run.release.release_tag,
        release.digest,
        packages,
        release.compressed_bytes,
        release.uncompressed_bytes,
        init,
    )
    found = difference(latest_before(run.reports / "runs", run.place, release.digest), facts)
    run.facts["difference"] = found.sentence
    content = {"target": run.place, "facts": asdict(facts)}
    run.store.attach(FACTS, json.dumps(content, indent=1).encode())
    return found


def account(run: Run, found: ReleaseDesk) -> Account:
    """The account's principals and every policy that speaks about the repository."""
    release = run.release
    return Account(
        found.client("iam"),
        found.client("ecr"),
        account=release.account,
        region=release.region,
        repository=release.repository,
        function=release.function_name,
    )


def _publish(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    image: Candidate = rungs("candidate")
    return found.publish(
        _judged(image),
        holds=lambda: holds(image),
        scan=lambda digest: scan_candidate(run, digest, rungs),
        kept=run.store.folder / BASELINE,
    )


def _judged(image: Candidate) -> JudgedImage:
    config = image.image
    return JudgedImage(config.reference, config.image_id, config.platform, config.size_bytes)


def _verify(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    judged = None if run.kind == "rescan" else _judged(rungs("candidate"))
    return found.verify(found.published_digest(), judged)


def baseline_before(run: Run, rungs: Rungs) -> FunctionSnapshot:
    """The zip function before anything was pushed: this run's baseline, or that of the run that published.

    A release that was refused on its way has taken its baseline first; what became of the release is for AC2 to say.

    Raises:
        EvidenceDamaged: nobody has taken one, or the record of it is not as it was left.
    """
    if run.publishes:
        with suppress(GateError, NoGo):
            rungs("published")
        return baseline.load(run.store.folder / BASELINE)
    release: Publication = rungs("published")
    return baseline.load(publishing_run(run, release.digest).evidence / BASELINE)


def build_of(run: Run, image: Candidate, rungs: Rungs) -> BuiltImage:
    """The build that made the image: this run's, or that of the run that published it.

    Raises:
        EvidenceDamaged: nobody knows of one.
    """
    if image.built:
        return image.built
    if run.publishes:
        raise EvidenceDamaged("the image was given, not built, so nothing shows that the Dockerfile makes it")
    release: Publication = rungs("published")
    return publishing_run(run, release.digest).build


def still_true(run: Run, found: ReleaseDesk, release: Publication) -> None:
    """Ask ECR once more, when every claim has been judged: what was written down must still be so."""
    now = found.verify(release.digest)
    if metadata(now) != metadata(release):
        run.trouble.append(f"the release changed while it was judged: {metadata(release)} became {metadata(now)}")


def record_scan(run: Run, event: str) -> None:
    """Add the scan of what is published to the recorded ones."""
    report = run.facts.get("scan_report")
    if report is not None:
        tags = (run.release.release_tag, run.release.rolling_tag)
        keep(record_of(report, register(run), event=event, tags=tags, target=run.place), run.scans)


def scanner(run: Run, found: ReleaseDesk) -> Scanner:
    """Reads the scans of the repository."""
    return Scanner(
        found.client("ecr"),
        found.client("inspector2"),
        run.release.repository,
        timeout=run.options.scan_timeout,
        progress=run.terminal.progress,
    )


def register(run: Run) -> Register:
    """The register of exceptions, beside the Dockerfile."""
    return load(run.options.image_context / REGISTER)


def scan_history(run: Run) -> tuple[ScanRecord, ...]:
    """Every recorded scan of this target, oldest first."""
    return tuple(each for each in read_all(run.scans) if each.target == run.place)


def last_night(run: Run, history: tuple[ScanRecord, ...]) -> ScanRecord | None:
    """The last recorded scan, or --previous; None on the first night."""
    if run.options.previous:
        return read(run.options.previous)
    return history[-1] if history else None
