"""Looking into a container on an engine that is busy: asked again, and never taken for the container's own fault."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from gate.runtime import container
from gate.runtime import invocation_checks as checks
from gate.runtime.container import Container
from gate.runtime.report import Footprint, HandlerRun, Init, Invocation, Settings

LOOK = {"processes": [], "tmp_bytes": 7, "high_water": None, "oom_kills": 0, "memory": 9, "started": 1.0}
SEEN = b"a wrapper's banner\nM" + json.dumps(LOOK).encode() + b"M\n"
GOOD = (SEEN, None)


@pytest.fixture(autouse=True)
def _known_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "new_mark", lambda: "M")


LOST = (None, None)


class BusyEngine:
    """Answers `docker exec` with these answers in turn; the container runs until it has none left, or always."""

    def __init__(self, *answers: Any, runs: bool = True) -> None:
        self.client = SimpleNamespace(api=self)
        self.answers = list(answers)
        self.runs = runs

    def exec_create(self, *_: Any, **__: Any) -> dict[str, str]:
        """One exec."""
        return {"Id": "exec"}

    def exec_start(self, _: str, *, demux: bool) -> Any:
        """The next answer: a pair, an error, or seconds of silence."""
        assert demux
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            time.sleep(answer)
            return LOST
        return answer

    def inspect_container(self, _: str) -> dict[str, Any]:
        """Whether it runs."""
        return {"State": {"Running": self.runs}}


def looked(*answers: Any, runs: bool = True) -> tuple[Container, int | None]:
    """A container that was looked into, and what /tmp held."""
    box = Container(BusyEngine(*answers, runs=runs), "c0ffee")  # type: ignore[arg-type]
    seen = box.measure()
    return box, seen.moment.tmp_bytes if seen else None


@pytest.mark.parametrize("answers", [(GOOD,), (LOST, GOOD), (LOST, (SEEN[:-9], None), GOOD), (APIError("busy"), GOOD)])
def test_lost_answer_is_asked_for_again(answers: tuple[Any, ...]) -> None:
    """An answer that was lost or broken off on the way says nothing about the container."""
    box, tmp = looked(*answers)
    assert (tmp, box.unseen) == (7, "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LOST, "an empty answer"),
        ((b'{"processes": 3}', None), '{"processes": 3}'),
        ((None, b"python3: cannot fork\n"), "python3: cannot fork"),
        (APIError("no room for another process"), "no room for another process"),
    ],
)
def test_three_answers_that_show_nothing_are_told(answer: Any, said: str) -> None:
    """After the third it is given up, with the last reason."""
    box, tmp = looked(answer, answer, answer, GOOD)
    assert (tmp, box.unseen) == (None, said)


def test_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that never answers an exec ends nothing but the look."""
    monkeypatch.setattr(container, "_LOOK_SECONDS", 0.05)
    box, tmp = looked(0.5, 0.5, 0.5)
    assert (tmp, box.unseen) == (None, "no answer in 0.05 s")


def test_ended_container_is_not_called_unseen() -> None:
    """One that has ended is looked at once: its end is the reason, and another check tells it."""
    box, tmp = looked(APIError("is not running"), runs=False)
    assert (tmp, box.unseen) == (None, "")


def test_unseen_container_is_not_blamed_on_the_handler() -> None:
    """The refusal says that nothing could be seen, and not that the runtime stayed away."""
    invocation = Invocation(1, "answered", 1.5, "{}", unseen="an empty answer")
    footprint = Footprint(512, None, False, None, None, "")
    said = str(checks.invocations_succeed(HandlerRun(Settings(512), Init("answered", 0.5), None, (invocation,),
                                                     footprint), 1).rejections[0])  # fmt: skip
    assert "the handler answered, and its container could not be looked into: an empty answer" in said
    assert "did not come back" not in said
