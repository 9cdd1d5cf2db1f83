"""What a run is connected to, each made when it is first needed: Docker engine, target, AWS, scanner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gate.access.access_facts import Network
from gate.access.reader import AccountReader
from gate.cached_property import made_once
from gate.caller_permissions.required import policies_of
from gate.engine import Engine, connect
from gate.engine.leftovers import end_leftover_processes
from gate.errors import EngineUnavailable, EvidenceDamaged
from gate.publish.earlier_runs import standing_tag
from gate.publish.promotion_record import read_all
from gate.publish.release_client import ReleaseClient
from gate.registry.repository import naming
from gate.run.model import Run
from gate.run.preflight import session_for
from gate.scan.reader import ScanReader


class Connections:
    """The connections of one run; closed in the reverse order in which they were made.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stack = ExitStack()

    @made_once
    def engine(self) -> Engine:
        """The Docker engine, from which the leftovers of dead runs are removed."""
        found = connect(self.run.options.engine_timeout)
        self.stack.callback(found.close)
        found.require_capabilities()
        self.run.engine = found.version()
        swept = (*end_leftover_processes(), *found.sweep())
        if swept:
            self.run.terminal.progress(f"removed what a dead run left behind: {', '.join(swept)}")
        return found

    @made_once
    def target(self) -> str:
        """Where the release goes; the local target is started, and the environment leads every AWS client to it.

        Raises:
            EngineUnavailable: the local target cannot be started.
        """
        if self.run.options.target == "local":
            self._start_local_target()
        return self.run.options.target

    def _start_local_target(self) -> None:
        from localaws import LocalTargetError
        from localaws.seed.release import SeededRelease
        from localaws.target import LocalTarget

        # Statements are stored beside the image when the verdict is on the disk: the registry is needed until then.
        stack = self.run.at_end if self.run.options.sign else self.stack
        stack.enter_context(_as_unavailable(LocalTargetError))
        with _as_unavailable(LocalTargetError):
            release = self.run.release
            seeded = SeededRelease.of(release, self.run.options.image_context, policies_of(release))
            with self.run.timeline.part("local target"), self.run.terminal.parts() as waiting_for:
                waiting_for("the local target starts")
                local = stack.enter_context(LocalTarget(seeded, **local_state(self.run)))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in local.environment().items():
            environment.setenv(name, value)

    @made_once
    def release_client(self) -> ReleaseClient:
        """Everything that talks to AWS about the release, by the ordinary AWS chain."""
        run, engine, target = self.run, self.engine, self.target
        session = run.session or session_for(run)
        found = ReleaseClient(
            session,
            run.release,
            run.call_log,
            engine=engine.client.api,
            say=run.terminal.progress,
            learn=run.store.redactor.learn,
            allow_destructive=target == "local",
            profile=run.options.profile or "",
        )
        run.facts.identity, run.release_client = found.caller.arn, found
        held = session.get_credentials().get_frozen_credentials()
        run.store.redactor.learn([held.secret_key, held.token or ""])
        if run.kind == "rescan":
            self._look_at_what_stands(found)
        return found

    def _look_at_what_stands(self, client: ReleaseClient) -> None:
        """A night is about the newest accepted release, whatever release tag pytest.ini states."""
        run, stated = self.run, self.run.release.release_tag
        images = client.ecr.images()
        try:
            promotions = read_all(run)
        except EvidenceDamaged:  # the scenario about them says so; the scans are looked at all the same
            promotions = ()
        tag = standing_tag(client.tags, images, promotions)
        if tag == stated:
            return
        client.release = run.release = replace(run.release, release_tag=tag)
        sentence = (
            f"pytest.ini states {stated}, and the release that stands is {tag} ({naming(images)[tag]}): the night is "
            f"about {tag}"
        )
        run.facts.remarks.append(sentence)
        run.terminal.progress(sentence)
        run.store.record(
            "the release that stands",
            {"pytest.ini": stated, "stands": tag, "images": images},
            criterion=2,
            asked="aws ecr describe-images; reports/runs/*/evidence/promotion.json",
            provenance=run.provenance,
        )

    @made_once
    def scanner(self) -> ScanReader:
        """Reads the scans of the repository."""
        client, options = self.release_client, self.run.options
        return ScanReader(
            client.client("ecr", attempts=1),
            client.client("inspector2", attempts=1),
            self.run.release.repository,
            account=self.run.release.account,
            timeout=options.scan_timeout,
            progress=self.run.terminal.waiting_for,
        )

    @made_once
    def account(self) -> AccountReader:
        """The account's principals and every policy that speaks about the repository."""
        release, client = self.run.release, self.release_client.client
        network = Network(tuple(release.ci_source_ips), release.ci_source_vpce, release.ci_source_vpc)
        return AccountReader(
            client("iam"),
            client("ecr"),
            account=release.account,
            region=release.region,
            repository=release.repository,
            function=release.function_name,
            functions=client("lambda"),
            organizations=client("organizations"),
            organization_id=release.organization_id,
            network=network,
        )


def local_state(run: Run) -> dict[str, Any]:
    """Where the local target's state is, and whether it is kept.

    A full run starts from the seeded state, and the nightly rescan looks at what it leaves. A restricted run would
    change that, so it has a state of its own, unless --keep asks for the other.
    """
    if run.kind == "partial" and not run.options.keep:
        return {"state": run.local_state.with_name(f"{run.local_state.name}-partial")}
    return {"state": run.local_state, "keep": run.options.keep or run.kind in {"rescan", "promotion"}}


@contextmanager
def _as_unavailable(refusal: type[Exception]) -> Iterator[None]:
    """What the local target refuses is no defect of the gate: its own sentence says why and what to do."""
    try:
        yield
    except refusal as error:
        raise EngineUnavailable(str(error), where="the local target") from error
