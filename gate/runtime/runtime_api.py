"""The host's side of the Runtime API: the sidecar that serves it, and the events that it has logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from gate.aws.partition import arn
from gate.engine import Engine
from gate.engine.script import new_mark
from gate.errors import SandboxFailure
from gate.runtime import constraints
from gate.runtime.container import Container, sandbox_container
from gate.runtime.report import PhaseTimeouts, Settings

SIDECAR = Path(__file__).with_name("sidecar.py").read_text()
PORT = 9001
_START_SECONDS = 30

# One line of the sidecar's log: "what" happened, "at" which second since boot, and what belongs to it.
ApiEvent = Mapping[str, Any]


@contextmanager
def runtime_api(
    engine: Engine,
    reference: str,
    settings: Settings,
    event: Mapping[str, Any] | None,
    life: float,
    timeouts: PhaseTimeouts,
) -> Iterator[Container]:
    """The sidecar with Lambda's Runtime API, listening on a loopback interface without any route to other networks.

    Args:
        engine: where it runs.
        reference: the image, whose Python serves it.
        settings: the function's name and region.
        event: what the handler is sent.
        life: seconds after which it ends by itself, should the gate have been killed.
        timeouts: that of an invocation is the deadline that the handler is given.

    Raises:
        SandboxFailure: it does not come up, or its network has a way out.
    """
    mark = new_mark()
    plan = {
        "mark": mark,
        "port": PORT,
        "event": json.dumps(event if event is not None else {}),
        "limit": timeouts.invocation,
        "life": int(life),
        "arn": arn("lambda", settings.region, "0" * 12, f"function:{settings.name}"),
    }
    command = ["python3", "-I", "-S", "-c", SIDECAR, json.dumps(plan)]
    with sandbox_container(engine, reference, constraints.sidecar(), entrypoint=command, mark=mark) as api:
        if not api.start():
            raise SandboxFailure(f"the image's Python cannot be started: {api.start_error}", where=reference,
                                 remedy="a Python 3 must be on the image's PATH as python3")  # fmt: skip
        listening = api.wait_for(lambda: first_event(api, "listening"), _START_SECONDS)
        if listening is None:
            raise SandboxFailure(f"the Runtime API does not come up: {api.logs().strip()[-500:] or 'it wrote nothing'}",
                                 where=reference)  # fmt: skip
        if listening["routes_out"]:
            raise SandboxFailure(f"the sandbox has a way out: {', '.join(listening['routes_out'])}",
                                 remedy="look at how the Docker engine treats `--network none`")  # fmt: skip
        yield api


def environment(settings: Settings) -> dict[str, str]:
    """What Lambda sets (Lambda, "Defined runtime environment variables"), but for the credentials."""
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{PORT}",
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{settings.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "TZ": ":UTC",
    }


def api_events(api: Container) -> list[ApiEvent]:
    """What the Runtime API has logged so far."""
    # After the last line break stands a line that is still being written; a line without the mark is not the sidecar's.
    lines = api.logs(stderr=False, tail="all").split("\n")[:-1]
    return [json.loads(line.removeprefix(api.mark)) for line in lines if line.startswith(api.mark)]


def first_event(api: Container, what: str) -> ApiEvent | None:
    """The first event of this kind; None as long as there is none."""
    return nth_event(api_events(api), 1, lambda event: event["what"] == what)


def nth_event(events: list[ApiEvent], number: int, wanted: Callable[[ApiEvent], bool]) -> ApiEvent | None:
    """The wanted event with this number, from 1; None as long as there is none."""
    return next(islice(filter(wanted, events), number - 1, None), None)
