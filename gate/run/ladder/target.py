"""Where a run goes: the local target beside it, or AWS; and the desk that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gate.access.facts import Network
from gate.access.fetch import Account, Beside
from gate.aws.refusals import ask
from gate.engine import Engine
from gate.errors import EngineUnavailable
from gate.registry.desk import ReleaseDesk, Surroundings
from gate.registry.publication import Step
from gate.run.model import Run
from gate.run.session import session_for
from gate.text import plain


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
    session = run.session or session_for(run)
    around = Surroundings(
        engine=docker.client.api,
        say=run.terminal.progress,
        on_step=lambda step: _note(run, step),
        learn_secret=lambda secret: run.store.redactor.learn([secret]),
        may_spoil=run.options.target == "local",
        profile=run.options.profile or "",
    )
    found = ReleaseDesk(session, run.release, run.ledger, around)
    run.facts.identity = found.caller.arn
    held = session.get_credentials().get_frozen_credentials()
    run.store.redactor.learn([held.secret_key, held.token or ""])
    return found


def _note(run: Run, step: Step) -> None:
    """Every step is evidence the moment it begins, and again when it has ended."""
    where = "" if run.place == "aws" else "simulated: "
    run.terminal.progress(f"{where}{plain(step.command, 110)}: {step.outcome}")
    run.store.record(f"step {step.number} {step.outcome.split(':')[0]}", step, asked=step.command, criterion=8)


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
        beside=Beside(
            found.client("lambda"),
            found.client("organizations"),
            release.organization_id,
            Network(tuple(release.ci_source_ips), release.ci_source_vpce, release.ci_source_vpc),
        ),
    )


def canaries(found: ReleaseDesk) -> dict[str, str]:
    """Secrets that are within reach of this run, and of which the redactor was not told: the environment's values.

    Raises:
        AwsRefused: the zip function cannot be read.
    """
    client = found.client("lambda")
    answer = ask(client.get_function_configuration, "lambda:GetFunctionConfiguration", "the zip function's environment",
                 FunctionName=found.release.zip_function)  # fmt: skip
    values = answer.get("Environment", {}).get("Variables", {})
    # Shorter values ("INFO", "true") are words that stand in any report.
    return {f"the value of {name}": value for name, value in values.items() if len(value) >= 8}  # noqa: PLR2004
