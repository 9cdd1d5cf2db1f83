"""The host's side of the Runtime API: the sidecar that serves it, and the account it gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gate.aws.partition import arn
from gate.engine import Engine
from gate.engine.script import new_mark
from gate.errors import SandboxFailure
from gate.runtime import constraints
from gate.runtime.container import Container, contained
from gate.runtime.report import Limits, Settings

SIDECAR = Path(__file__).with_name("sidecar.py").read_text()
PORT = 9001
_START_SECONDS = 30

# One line of the sidecar's account: "what" happened, "at" which second since boot, and what belongs to it.
Line = Mapping[str, Any]


@contextmanager
def runtime_api(
    engine: Engine, reference: str, settings: Settings, event: Mapping[str, Any] | None, life: float, limits: Limits
) -> Iterator[Container]:
    """The sidecar with Lambda's Runtime API, listening on its own loopback, from which nothing leads out.

    Args:
        engine: where it runs.
        reference: the image, whose Python serves it.
        settings: the function's name and region.
        event: what is handed out.
        life: seconds after which it ends by itself, should the gate have been killed.
        limits: the invocation's limit is the deadline that the handler is told.

    Raises:
        SandboxFailure: it does not come up, or its network has a way out.
    """
    mark = new_mark()
    plan = {
        "mark": mark,
        "port": PORT,
        "event": json.dumps(event if event is not None else {}),
        "limit": limits.invocation,
        "life": int(life),
        "arn": arn("lambda", settings.region, "0" * 12, f"function:{settings.name}"),
    }
    command = ["python3", "-I", "-S", "-c", SIDECAR, json.dumps(plan)]
    with contained(engine, reference, constraints.sidecar(), entrypoint=command, mark=mark) as api:
        if not api.start():
            raise SandboxFailure(f"the image's Python cannot be started: {api.refusal}", where=reference,
                                 remedy="a Python 3 must be on the image's PATH as python3")  # fmt: skip
        listening = api.wait_for(lambda: first(api, "listening"), _START_SECONDS)
        if listening is None:
            raise SandboxFailure(f"the Runtime API does not come up: {api.logs().strip()[-500:] or 'it says nothing'}",
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


def account(api: Container) -> list[Line]:
    """What the Runtime API has said so far."""
    # What follows the last line break is a line that is still being written; what has no mark, somebody else's.
    lines = api.logs(stderr=False, tail="all").split("\n")[:-1]
    return [json.loads(line.removeprefix(api.mark)) for line in lines if line.startswith(api.mark)]


def first(api: Container, what: str) -> Line | None:
    """The first line of this kind, if it is there yet."""
    return nth(account(api), 1, lambda line: line["what"] == what)


def nth(lines: list[Line], number: int, wanted: Callable[[Line], bool]) -> Line | None:
    """The line that is the number-th (from 1) of the wanted ones, if it is there yet."""
    found = [line for line in lines if wanted(line)]
    return found[number - 1] if len(found) >= number else None
