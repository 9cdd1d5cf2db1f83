"""The release in the registry, what was there before it, and whether it is still what was judged."""

from __future__ import annotations

import json
from dataclasses import asdict

from gate.aws.endpoints import judge_endpoints
from gate.candidate import Candidate
from gate.errors import GateError
from gate.gaps import Gap, had
from gate.judgement import NoGo, require
from gate.legacy import baseline
from gate.legacy.snapshot import FunctionSnapshot
from gate.registry.desk import ReleaseDesk
from gate.registry.previous import ReleaseFacts
from gate.registry.publication import JudgedImage, Publication
from gate.run import promotions, stages
from gate.run.model import Run, Rungs
from gate.run.notes import metadata
from gate.run.previous import FACTS, Difference, difference, latest_before, packages_of
from gate.run.publishing import publishing_run
from gate.run.results import account_of
from gate.run.steps import note_publication

BASELINE = "zip-baseline.json"


def in_registry(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    """The judged digest in the registry: pushed by this run under the candidate tag, or the release as it was found."""
    if not run.publishes:
        release: Publication = rungs("published")
        return release
    image: Candidate = rungs("candidate")
    pushed = found.push_candidate(
        _judged(image), kept=run.store.folder / BASELINE, admit=lambda: stages.refuse_push(run)
    )
    run.store.digest = run.facts.unpromoted = pushed.digest
    _tell_of_earlier(run, pushed)
    return pushed


def _tell_of_earlier(run: Run, pushed: Publication) -> None:
    """Say what an earlier run left that was refused or cut short; this run completes it, or takes `latest` back."""
    naming = pushed.before.naming() if pushed.before else {}
    for each in promotions.standing(promotions.read_all(run), naming, promotions.tags_of(run)):
        sentence = promotions.told(each, naming)
        run.terminal.progress(sentence)
        run.store.record("a release that was not accepted", {"said": sentence, "record": each},
                         asked=promotions.FILE, criterion=2, provenance=run.provenance)  # fmt: skip


def publication(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    """The release behind its tags: given them by this run, when all that must hold before does; or as it was found."""
    release = _promote(run, found, rungs) if run.publishes else _verify(run, found, rungs)
    facts, run.store.digest = run.facts, release.digest
    facts.publication, facts.digest, facts.tags = release, release.digest, release.tags
    facts.size_bytes, facts.unpromoted = release.compressed_bytes, ""
    return release


def _promote(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    pushed: Publication = rungs("registry_image")
    # Once more: a client that was made since the beginning may ask elsewhere.
    require(judge_endpoints(run.clients.endpoints, run.publishes))
    stages.refuse_promotion(run, pushed.digest)
    promotions.begin(run, pushed)
    try:
        release = found.publisher.promote(pushed)
    except (GateError, NoGo):
        promotions.withdraw(run, found)
        raise
    note_publication(run, release.digest, found.diary.steps)
    return release


def end_promotion(run: Run, found: ReleaseDesk) -> None:
    """When every claim has been judged: a release that is refused does not stay behind the rolling tag."""
    if run.facts.promotion is None or not promotions.is_refused(run, account_of(run).verdict()):
        return
    promotions.withdraw(run, found)
    note_publication(run, run.facts.promotion.digest, found.diary.steps)


def _judged(image: Candidate) -> JudgedImage:
    config = image.image
    return JudgedImage(config.reference, config.image_id, config.platform, config.size_bytes)


def _verify(run: Run, found: ReleaseDesk, rungs: Rungs) -> Publication:
    judged = None if run.kind == "rescan" else had(lambda: _judged(rungs("candidate")))
    if isinstance(judged, Gap):
        # What the registry says can be looked at all the same; the claims about the image say why it is not here.
        run.terminal.progress(f"the published image could not be pulled: {judged.error.cause}")
        judged = None
    return found.verify(found.published_digest(), judged)


def baseline_before(run: Run, rungs: Rungs) -> FunctionSnapshot:
    """The zip function before anything was pushed: this run's baseline, or that of the run that published.

    A release that was refused on its way has taken its baseline first; what became of the release is for AC2 to say.

    Raises:
        EvidenceDamaged: nobody has taken one, or the record of it is not as it was left.
        GateError, NoGo: the release ended before one was taken; that is the cause, and no baseline its consequence.
    """
    if run.publishes:
        kept = run.store.folder / BASELINE
        try:
            rungs("registry_image")
        except (GateError, NoGo):
            if not kept.exists():
                raise
        return baseline.load(kept)
    release: Publication = rungs("published")
    return baseline.load(publishing_run(run, release.digest).evidence / BASELINE)


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
    run.facts.difference = found.sentence
    content = {"target": run.place, "facts": asdict(facts)}
    run.store.attach(FACTS, json.dumps(content, indent=1).encode())
    return found


def still_true(run: Run, found: ReleaseDesk, release: Publication) -> None:
    """Ask ECR once more, when every claim has been judged: what was written down must still be so."""
    now = found.verify(release.digest)
    if metadata(now) != metadata(release):
        run.trouble.append(f"the release changed while it was judged: {metadata(release)} became {metadata(now)}")
