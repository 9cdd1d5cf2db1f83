"""The way of a release: build, check, push, scan, check again, promote; and back, if it is refused after all.

The scenarios of features/ run between the steps. Each step is made once, when the first scenario needs it, and fails
when a scenario that has to hold before it does not (`preconditions`):

1. `candidate`: the image is built, or it is the one that was named;
2. the scenarios tagged @before_push are checked on it;
3. `registry_image`: it is pushed under the candidate tag;
4. `digest_scan`: its digest is scanned;
5. every other scenario but those tagged @after_promotion is checked;
6. `published`: the digest is given the release tag and then the rolling tag;
7. the scenarios tagged @after_promotion are checked;
8. `close`: a release that is refused all the same gives the rolling tag back.

A run that does not publish looks at the release that is there: `published` finds it, and `candidate` is pulled.
A promotion by name (--promote) builds, pulls and pushes nothing: `registry_image` is the accepted release as it lies in
the registry, and steps 4 to 8 are the same.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from gate.aws.endpoints import check_endpoints
from gate.cached_property import made_once
from gate.candidate import Candidate
from gate.check import NoGo, require
from gate.errors import EvidenceDamaged, GateError
from gate.image.base import Base
from gate.image.build import BuiltImage
from gate.missing_facts import MissingFact, fact_or_missing
from gate.publish import build, preconditions, promotion_record
from gate.publish.earlier_runs import BASELINE
from gate.publish.promotion_checks import ReleaseTags
from gate.publish.publication import FILE, CheckedImage, Promotion, Publication
from gate.publish.push_and_promote import Publisher
from gate.publish.release_log import note_build, note_publication
from gate.report.validation_md import metadata
from gate.run.connections import Connections
from gate.run.inputs import register
from gate.run.model import Run
from gate.run.results import run_record_of
from gate.scan.records import keep, record_of
from gate.scan.report import ScanReport

# So few need few of the facts about the image, and gather these when they ask for them.
FEW_SCENARIOS = 5


class Pipeline:
    """The release of one run; what a scenario asks for is made from what it needs, in the order above.

    Args:
        connections: to engine, target and AWS; they are closed after the release.
    """

    def __init__(self, connections: Connections) -> None:
        self.connections, self.run = connections, connections.run

    @made_once
    def candidate(self) -> Candidate:
        """The candidate image: built, named by --image, or pulled by the published digest."""
        run, engine, began = self.run, self.connections.engine, datetime.now(UTC).isoformat(timespec="seconds")
        with run.timeline.part("base and build"):
            base = build.base_of(run, engine)
            built, reference = self._image(base)
        cache = run.root / ".cache"
        found = Candidate(engine, run.release, base, reference, built, run.options.image_context, cache)
        self.connections.stack.callback(found.close)
        if run.selected > FEW_SCENARIOS:
            found.prefetch(whole=run.kind == "full")
        if run.kind == "full":
            # While the sandbox runs, so that publishing need not wait. A failure is raised again where they are needed.
            with suppress(Exception):
                _ = self.connections.scanner, self.connections.account
        run.store.digest = run.facts.image_id = found.image.image_id
        run.facts.uncompressed_bytes, run.facts.candidate = found.image.size_bytes, found
        if built:
            note_build(run, built, began)
        return found

    def _image(self, base: Base) -> tuple[BuiltImage | None, str]:
        """The build, None for an image that exists; and what the engine calls the image."""
        if self.run.options.image or self.run.publishes:
            return build.image_to_publish(self.run, self.connections.engine, base)
        client = self.connections.release_client
        return None, client.pull(client.published_digest())

    @made_once
    def registry_image(self) -> Publication:
        """The checked digest in the registry: pushed by this run as the candidate, or the release as it was found.

        Raises:
            BlockedByEarlierFailure: a scenario about the image does not hold.
        """
        run = self.run
        if not run.publishes:
            return self.published
        if run.promotes:
            return self._named_release()
        image = _checked(self.candidate)
        self.publisher.prepare(image, run.store.folder / BASELINE)
        preconditions.refuse_push(run)
        with run.timeline.part("push"):
            pushed = self.publisher.push(image)
        run.store.digest = run.facts.unpromoted = pushed.digest
        self._report_unaccepted(pushed)
        return pushed

    def _named_release(self) -> Publication:
        run, accepted = self.run, self.run.facts.accepted
        if accepted is None:
            raise EvidenceDamaged("no accepted release was found for --promote")
        # By the evidence of the run that accepted it: nothing has to be pulled in an emergency.
        image = CheckedImage("", accepted.image_id, run.release.platform, accepted.uncompressed_bytes)
        found = self.publisher.look_up(image, accepted, run.store.folder / BASELINE)
        run.store.digest = found.digest
        run.facts.image_id, run.facts.uncompressed_bytes = accepted.image_id, accepted.uncompressed_bytes
        return found

    @made_once
    def digest_scan(self) -> ScanReport:
        """The finished scan of the checked digest; a run that publishes records it as a step of the release."""
        run, digest, scanner = self.run, self.registry_image.digest, self.connections.scanner
        if run.publishes:
            publisher = self.publisher
            with run.timeline.part("scan"), publisher.log.step(publisher.commands.request_scan(digest)) as outcome:
                report = scanner.scan_digest(digest)
                outcome.append(f"done: {report.status}, {len(report.open)} findings")
        else:
            report = scanner.scan_digest(digest)
        run.facts.scan_report = report
        self.connections.stack.callback(self._record_scan, report)
        return report

    @made_once
    def published(self) -> Publication:
        """The release behind its tags: given them by this run, when all that must hold before does; or as it was found.

        Raises:
            BlockedByEarlierFailure: a scenario that can be checked without the tags does not hold.
        """
        release = self._promote() if self.run.publishes else self._find()
        facts, self.run.store.digest = self.run.facts, release.digest
        facts.publication, facts.digest, facts.tags = release, release.digest, release.tags
        facts.size_bytes, facts.unpromoted = release.compressed_bytes, ""
        self.connections.stack.callback(self._end_promotion)
        self.connections.stack.callback(self._check_unchanged, release)
        return release

    def _promote(self) -> Publication:
        run, pushed = self.run, self.registry_image
        # Once more: a client that was made since the beginning may ask elsewhere.
        require(check_endpoints(run.endpoint_recorder.endpoints, run.publishes))
        preconditions.refuse_promotion(run, pushed.digest)
        promotion_record.begin(run, pushed, self.earlier_promotions)
        try:
            with run.timeline.part("tags"):
                release = self.publisher.promote(pushed)
        except (GateError, NoGo):
            self._take_back()
            raise
        note_publication(run, release.digest, self.publisher.log.steps)
        return release

    def _find(self) -> Publication:
        run, client = self.run, self.connections.release_client
        checked = None if run.kind == "rescan" else fact_or_missing(lambda: _checked(self.candidate))
        if isinstance(checked, MissingFact):
            # What the registry says can be read all the same; the scenarios about the image say why it is not here.
            run.terminal.progress(f"the published image could not be pulled: {checked.error.cause}")
            checked = None
        return client.verify(client.published_digest(), checked)

    def close(self) -> None:
        """When every scenario was checked: look once more, take back what is refused, and close the connections."""
        self.connections.stack.close()

    def _check_unchanged(self, release: Publication) -> None:
        """Ask ECR once more: what was written down must still be so."""
        written, now = metadata(release), metadata(self.connections.release_client.verify(release.digest))
        if now != written:
            self.run.errors.append(f"the release changed while it was checked: {written} became {now}")

    def _end_promotion(self) -> None:
        """A release that is refused does not stay behind the rolling tag."""
        run = self.run
        if run.facts.promotion and promotion_record.is_refused(run, run_record_of(run).verdict()):
            self._take_back()
            note_publication(run, run.facts.promotion.digest, self.publisher.log.steps)

    def _take_back(self) -> None:
        promotion_record.withdraw(self.run, self.connections.release_client.ecr, self.publisher)

    @made_once
    def publisher(self) -> Publisher:
        """Pushes and gives tags."""
        return Publisher(self.run, self.connections.release_client)

    @made_once
    def earlier_promotions(self) -> tuple[Promotion, ...]:
        """The promotions that earlier runs recorded."""
        return promotion_record.read_all(self.run)

    def _report_unaccepted(self, pushed: Publication) -> None:
        """Say what an earlier run left that was refused or cut short; this run completes it, or takes `latest` back."""
        run, naming = self.run, pushed.before.naming() if pushed.before else {}
        for each in promotion_record.unaccepted(self.earlier_promotions, naming, ReleaseTags.of(run.release).published):
            sentence = promotion_record.sentence_of(each, naming)
            run.terminal.progress(sentence)
            answer = {"said": sentence, "record": each}
            run.store.record("a release that was not accepted", answer, asked=FILE, criterion=2,
                             provenance=run.provenance)  # fmt: skip

    def _record_scan(self, report: ScanReport) -> None:
        """Add the scan of the checked digest to the recorded ones, once all is known about it."""
        run, tags = self.run, ReleaseTags.of(self.run.release)
        named = tags.published if run.facts.publication else (tags.release if run.promotes else tags.candidate,)
        keep(record_of(report, register(run), event=_event(run), tags=named, target=run.target), run.scans)


def _event(run: Run) -> str:
    """The event of this run's scan: rescanned, released, withdrawn; candidate if no more is known than that."""
    if run.kind in {"rescan", "promotion"}:
        return "rescanned"
    if run.facts.publication:
        return "released"
    refused = any(outcome.status == "failed" and outcome.criterion in {7, 9} for outcome in run.outcomes)
    return "withdrawn" if refused else "candidate"


def _checked(image: Candidate) -> CheckedImage:
    config = image.image
    return CheckedImage(config.reference, config.image_id, config.platform, config.size_bytes)
