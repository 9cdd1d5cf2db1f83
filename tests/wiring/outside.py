"""What the outside world answers or is, changed at a moment of a real run; nothing of the gate itself is changed.

A pytest plugin for one run. Its moments are those of the run: a part of the release or a fixture has been made
(`after: registry_image`, perhaps only `during` one scenario), or a scenario is about to begin (`before: <its name>`).
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import docker
import pytest
from botocore.awsrequest import AWSResponse

import localaws.target
from gate.aws.retry import TimeSource
from gate.cached_property import made_once
from gate.publish import preconditions
from gate.publish.pipeline import Pipeline
from gate.run import PLUGIN, RUN
from gate.run import plugin as acceptance
from gate.run.connections import Connections
from gate.run.model import Run
from localaws.target import LocalTarget
from tests.faults.facts import changed
from tests.faults.record import edited
from tests.faults.services import make_calls
from tests.seeded import SEEDED
from tests.wiring.records import keep_accepted, keep_night, keep_refusal
from tests.wiring.table import Rehearsal


class Outside:
    """Follows one run and makes its faults.

    Attributes:
        run: the run, once it has begun.
        target: its local target, once it is up.
        seeded: the release that it is seeded for.
    """

    seeded = SEEDED

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.run: Run | None = None
        self.target: LocalTarget | None = None
        self._rehearsal = rehearsal
        self._answers: list[Answer] = []
        self._images: list[Mapping[str, Any]] = []
        self._publication: Any = None
        self._item: pytest.Item | None = None
        self._until_the_end = ExitStack()

    # --- the moments ------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """The run has begun."""
        self.run = config.stash.get(RUN, None)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What only AWS can prove is checked too: AWS's answers are given here."""
        for item in items:
            item.own_markers = [mark for mark in item.own_markers if mark.name != "skip"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """A scenario begins."""
        self._item = item

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[Any]:
        """A fixture that is no part of the release's way has been set up."""
        value = yield
        if not isinstance(vars(Pipeline).get(fixturedef.argname, vars(Connections).get(fixturedef.argname)), made_once):
            self._happens(f"after {fixturedef.argname}", self._item, value)
        return value

    def made(self, name: str, value: Any) -> None:
        """A part of the release, or a connection, has been made."""
        if name in ("registry_image", "published"):
            self._publication = value
        self._happens(f"after {name}", self._item, value)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A scenario is about to be checked."""
        self._happens(f"before {self._name_of(item)}", item, None)
        return (yield)

    def pytest_unconfigure(self) -> None:
        """What was edited in the record is put back."""
        self._until_the_end.close()

    def _name_of(self, node: Any) -> str:
        plugin: Any = node.config.pluginmanager.getplugin(PLUGIN)
        return str(plugin.recorder(node).name) if isinstance(node, pytest.Item) else ""

    def _happens(self, moment: str, node: Any, value: Any) -> None:
        for each in self._rehearsal.moments:
            if each["at"] == moment and each.get("during") in (None, self._name_of(node)):
                self._make(each, value)

    # --- the faults -------------------------------------------------------------------------------

    def _make(self, moment: Mapping[str, Any], value: Any) -> None:
        with self._unheard():
            make_calls(moment.get("calls", ()), self, SimpleNamespace(published=self._published))
        if "answers" in moment:
            self._answers = [Answer(**each) for each in moment["answers"]]
        if "images" in moment:
            self._images = moment["images"]
        if "quick clock" in moment:
            _let_waiting_take_no_time(value)
        for call in moment.get("as the run", ()):
            _as_the_run(value, call)
        if "files" in moment:
            assert self.run is not None
            self._until_the_end.enter_context(edited(self.run.folder, moment["files"], self._published.digest))
        self._keep_records(moment)

    def _keep_records(self, moment: Mapping[str, Any]) -> None:
        if "night" in moment:
            keep_night(self.run, self._published.digest, **filled(moment["night"], {}))
        for outcome, keep in (("accepted", keep_accepted), ("refused", keep_refusal)):
            if outcome in moment:
                keep(self.run, self.client("ecr"), moment[outcome])

    @property
    def _published(self) -> Any:
        # Before anything is pushed there is no digest that a call could speak of.
        return self._publication or SimpleNamespace(digest="sha256:", manifest=SimpleNamespace(body=""))

    def client(self, service: str, role: str = SEEDED.administrator) -> Any:
        """A client of the local target, as somebody else than the run."""
        assert self.target is not None
        return self.target.session(role).client(service, endpoint_url=self.target.endpoint)

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """What somebody else asks is answered truly."""
        kept, self._answers = self._answers, []
        yield
        self._answers = kept

    # --- answers on their way ---------------------------------------------------------------------

    def instead(self, params: Mapping[str, Any], model: Any, **_: Any) -> Any:
        """An answer that is given in AWS's place."""
        for each in self._answers:
            if each.replaces and each.meets(model):
                return each.given(params)
        return None

    def altered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        """An answer that is changed on its way."""
        for each in self._answers:
            if each.put and each.meets(model):
                for path, value in each.put.items():
                    new = changed(copy.deepcopy(parsed), path.split("."), lambda old, value=value: _edited(old, value))
                    parsed.clear()
                    parsed.update(new)

    def of_engine(self, operation: str, answer: Any) -> Any:
        """What the engine answers, changed on its way."""
        for each in self._images:
            if each["call"] == operation:
                for path, value in each["put"].items():
                    answer = changed(answer, path.split("."), lambda old, value=value: _edited(old, value))
        return answer


class Answer:
    """One answer of AWS that is given in its place, refused, or changed on its way.

    Args:
        call: as `service.Operation`, by botocore's names.
        put: values by their paths in the answer.
        answer: the whole answer.
        refusal: code and message of an error.
        skip: how many such calls are answered truly before.
    """

    def __init__(self, call: str, put: Any = None, answer: Any = None, refusal: Any = None, skip: int = 0) -> None:
        self.call, self.put, self._answer, self._refusal, self._skip = call, put, answer, refusal, skip
        self.replaces = put is None

    def meets(self, model: Any) -> bool:
        """Whether it is about this call; each is counted."""
        service = model.service_model.service_id.hyphenize()
        if self.call != f"{service}.{model.name}":
            return False
        self._skip -= 1
        return self._skip < 0

    def given(self, params: Mapping[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
        """The answer, as botocore has it once it is read."""
        status = 400 if self._refusal else 200
        sent = json.loads(params["body"]) if isinstance(params.get("body"), bytes | str) and params["body"] else {}
        parsed = filled(self._answer or {}, sent)
        if self._refusal:
            parsed = {"Error": dict(zip(("Code", "Message"), self._refusal, strict=True))}
        parsed["ResponseMetadata"] = {"HTTPStatusCode": status, "RequestId": "0" * 8, "HTTPHeaders": {}}
        return AWSResponse("http://127.0.0.1/", status, {}, None), parsed


def filled(value: Any, sent: Mapping[str, Any]) -> Any:
    """A value of the table, with its times and with the digest that was asked about.

    `{hours ago: 3}` and `{at: 2026-01-02T03:04:05+00:00}` are times, `{json: …}` is a text, `{digest}` is in a text.
    """
    if isinstance(value, dict) and list(value) == ["hours ago"]:
        return datetime.now(UTC) - timedelta(hours=value["hours ago"])
    if isinstance(value, dict) and list(value) == ["at"]:
        return datetime.fromisoformat(value["at"])
    if isinstance(value, dict) and list(value) == ["json"]:
        return json.dumps(value["json"])
    if isinstance(value, dict):
        return {key: filled(each, sent) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, sent) for each in value]
    if isinstance(value, str) and "{digest}" in value:
        return value.replace("{digest}", str((sent.get("imageId") or {}).get("imageDigest", "")))
    return value


def _edited(old: Any, value: Any) -> Any:
    if isinstance(value, dict) and list(value) == ["text"]:
        was, becomes = value["text"]
        assert was in old, f"{was!r} is not in {old!r}"
        return old.replace(was, becomes)
    return filled(value, {})


def _let_waiting_take_no_time(scanner: Any) -> None:
    """Give a reader of scans a clock on which a wait is over at once."""
    slept = [0.0]
    quick = TimeSource(monotonic=lambda: time.monotonic() + slept[0], sleep=lambda s: slept.append(slept.pop() + s))
    scanner._time = quick


def _as_the_run(release_client: Any, call: Mapping[str, Any]) -> None:
    """A call that the run itself makes, as a careless change of it would; what AWS answers is no matter."""
    client = release_client.client(call["service"])
    try:
        getattr(client, call["call"])(**call["with"])
    except client.exceptions.ClientError as refused:
        print(f"{call['call']} was refused: {refused}")


@contextmanager
def around(outside: Outside) -> Iterator[None]:
    """Watch the AWS clients, the engine's client and the local target that are made meanwhile."""
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        # As in tests/hard_use/hasty.py: the run comes to its scenario although others fail.
        patch.setattr(acceptance, "arranged", lambda _every, selected, _scenario_of: selected)
        patch.setattr(preconditions, "refuse_push", lambda _run: None)
        patch.setattr(preconditions, "refuse_promotion", lambda _run, _digest: None)
        _watch_pipeline(patch, outside)
        _watch_aws(patch, outside)
        _watch_engine(patch, outside)
        _watch_target(patch, outside)
        yield
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


def _watch_pipeline(patch, outside):
    for owner in (Connections, Pipeline):
        for name, part in vars(owner).items():
            if isinstance(part, made_once):
                patch.setattr(part, "func", _telling(part.func, name, outside))


def _telling(make, name, outside):
    def making(instance):
        value = make(instance)
        outside.made(name, value)
        return value

    return making


def _watch_aws(patch, outside):
    begin = botocore.session.Session.__init__

    def listening(self, *arguments, **named):
        begin(self, *arguments, **named)
        self.register("before-call", outside.instead)
        self.register("after-call", outside.altered)

    patch.setattr(botocore.session.Session, "__init__", listening)


def _watch_engine(patch, outside):
    for operation in ("inspect_image", "history"):
        ask = getattr(docker.APIClient, operation)

        def asking(self, *arguments, ask=ask, operation=operation, **named):
            return outside.of_engine(operation, ask(self, *arguments, **named))

        patch.setattr(docker.APIClient, operation, asking)


def _watch_target(patch, outside):
    class Known(LocalTarget):
        def __enter__(self):
            super().__enter__()
            outside.target = self
            return self

    patch.setattr(localaws.target, "LocalTarget", Known)
