"""The checks of the sandbox's reports, on reports made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.check import CHECKS, CheckResult
from gate.runtime import invocation_checks as checks
from gate.runtime.answer_checks import answers_hold
from gate.runtime.report import (
    ContainerProcess,
    Footprint,
    HandlerRun,
    Init,
    Invocation,
    Outcome,
    ReportedError,
    ResourceSample,
    Settings,
)

MB = 1 << 20
RUNTIME = ContainerProcess(1, 0, "S", "python3")
CHROME = ContainerProcess(9, 1, "S", "chrome")
ZOMBIE = ContainerProcess(12, 1, "Z", "chrome")


def sample(*processes: ContainerProcess, tmp: int = 0) -> ResourceSample:
    """The container with the runtime and these processes."""
    return ResourceSample((RUNTIME, *processes), tmp, 100 * MB, 0, 60 * MB)


def ran(*after: ResourceSample | None, outcome: Outcome = "answered", answer: str = "{}") -> HandlerRun:
    """A run whose invocations left these samples."""
    invocations = tuple(Invocation(n, outcome, 1.5, answer, None, seen) for n, seen in enumerate(after, 1))
    footprint = Footprint(512, None, False, 90 * MB, 100 * MB, "")
    return HandlerRun(Settings(512), Init("answered", 0.5), sample(), invocations, footprint)


def words(result: CheckResult) -> str:
    """What the check says."""
    return "\n".join(map(str, result.rejections))


def test_every_check_says_no_to_its_known_bad_value() -> None:
    """Each check of the sandbox refuses the value that the list of checks holds for it."""
    own = [entry for name, entry in CHECKS.items() if name.startswith("gate.runtime.invocation_checks.")]
    assert len(own) == 7
    assert [entry.name for entry in own if entry.function(*entry.known_bad()).accepted] == []


def test_a_good_run_is_accepted() -> None:
    """Five answered invocations that leave nothing are accepted by every check."""
    run = ran(*[sample()] * 5)
    said = checks.starts_within(run, 10) + checks.invocations_succeed(run, 5) + checks.leaves_no_process(run)
    said += checks.tmp_grows_below(run, 50) + checks.memory_suffices(run) + checks.nothing_grows(run)
    assert said.accepted


@pytest.mark.parametrize(("seconds", "accepted"), [(0.4, True), (10.0, True), (10.01, False), (11.6, False)])
def test_init_limit_is_inclusive(seconds: float, accepted: bool) -> None:
    """Exactly ten seconds are accepted, and more are not."""
    run = replace(ran(), init=Init("answered", seconds))
    assert checks.starts_within(run, 10).accepted is accepted


def test_same_failure_is_reported_once_for_all_its_invocations() -> None:
    """The same error five times is one reason; another error is a second one."""
    faults = {n: ReportedError("LookupError", f"no driver\nStacktrace:\n#0 0x{n}") for n in (1, 2, 4)}
    failed = [Invocation(n, "failed", 1.0, error=fault, after=sample()) for n, fault in faults.items()]
    other = Invocation(3, "failed", 1.0, error=ReportedError("OSError", "no room"), after=sample())
    said = checks.invocations_succeed(replace(ran(), invocations=(*failed, other)), 4)
    assert [(r.cause, r.where) for r in said.rejections] == [
        ("the handler failed: LookupError: no driver", "Lambda sandbox, invocations 1, 2, 4"),
        ("the handler failed: OSError: no room", "Lambda sandbox, invocation 3"),
    ]


def test_slow_init_names_seconds_limit_and_memory() -> None:
    """The refusal gives what was measured, what is allowed, and at which memory."""
    said = words(checks.starts_within(replace(ran(), init=Init("answered", 11.64)), 10))
    assert "took 11.6 s to initialise at 512 MB, and 10 s are allowed" in said
    assert "0.29 CPU" in said


def test_unmeasured_init_is_refused() -> None:
    """An unknown duration is not accepted."""
    assert "could not be measured" in words(checks.starts_within(replace(ran(), init=Init("answered", None)), 10))


def test_init_error_has_the_runtimes_type_and_text() -> None:
    """Type and text of the runtime's error are in the refusal."""
    fault = ReportedError("Runtime.ImportModuleError", "Unable to import module 'main': No module named 'main'")
    run = replace(ran(), init=Init("failed", None, replace(fault, line="/var/task/app.py:1: `import main`")))
    assert f"{fault.type}: {fault.text}, at /var/task/app.py:1: `import main`" in words(checks.initialises(run))
    assert fault.text in words(checks.invocations_succeed(run, 5))


@pytest.mark.parametrize(
    ("outcome", "exit_code", "oom", "said"),
    [
        ("ended", 139, False, "exit code 139 (SIGSEGV)"),
        ("ended", 1, False, "exit code 1 before"),
        ("ended", 200, False, "exit code 200 before"),
        ("ended", 137, True, "killed for want of memory (512 MB)"),
        ("late", None, False, "did not answer in time"),
    ],
)
def test_each_end_of_an_init_is_named(outcome: Outcome, exit_code: int | None, oom: bool, said: str) -> None:
    """However the initialisation ended, the refusal says so."""
    footprint = Footprint(512, exit_code, oom, None, None, "first\nlast words\n")
    refusal = words(checks.initialises(replace(ran(), init=Init(outcome, None), footprint=footprint)))
    assert said in refusal
    assert "its last log line: last words" in refusal


def test_too_few_invocations_are_refused() -> None:
    """A handler that was not invoked is not accepted."""
    assert "0 of 5 invocations" in words(checks.invocations_succeed(ran(), 5))
    assert not checks.leaves_no_process(ran()).accepted
    assert not checks.tmp_grows_below(ran(), 50).accepted


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ('{"ok": true}', True),
        ('{"statusCode": 200}', True),
        ('"text"', True),
        ("null", True),
        ("", True),
        ('{"statusCode": 399}', True),
        ('{"statusCode": "502"}', False),
        ('{"ok": false}', False),
        ('{"statusCode": 400}', False),
        ('{"statusCode": 502}', False),
        ('{"errorType": "UnknownAction", "errorMessage": "no"}', False),
    ],
)
def test_an_answer_that_is_an_error_is_no_success(answer: str, accepted: bool) -> None:
    """An error that is returned instead of raised is still an error."""
    assert answers_hold(ran(sample(), answer=answer), {}).accepted is accepted


def test_a_long_answer_that_is_an_error_is_shortened() -> None:
    """Three hundred characters of it."""
    answer = f'{{"ok": false, "said": "{"x" * 400}"}}'
    said = answers_hold(ran(sample(), answer=answer), {}).rejections[0].cause
    assert said == f"the handler answered the event with an error: {answer[:300]}"


def test_zombie_is_named_with_its_invocation() -> None:
    """The refusal says after which invocation which process was left."""
    said = words(checks.leaves_no_process(ran(sample(), sample(ZOMBIE), sample())))
    assert "1 zombie processes are left: chrome (pid 12)" in said
    assert "after invocation 2" in said


def test_a_zombie_is_reported_before_the_growth_that_it_is_part_of() -> None:
    """Reaping it ends both."""
    (rejection,) = checks.leaves_no_process(ran(sample(), sample(ZOMBIE))).rejections
    assert "1 zombie processes are left" in rejection.cause


@pytest.mark.parametrize(("number", "named", "more"), [(8, 9, False), (9, 10, False), (10, 10, True), (11, 10, True)])
def test_ten_processes_are_named_and_that_there_are_more_is_said(number: int, named: int, more: bool) -> None:
    """Up to ten are named without an ellipsis."""
    left = [replace(CHROME, pid=pid) for pid in range(20, 20 + number)]
    said = checks.leaves_no_process(ran(sample(), sample(*left))).rejections[0].cause
    assert said.count("(pid ") == named
    assert said.endswith(" …") is more


def test_a_browser_that_is_kept_is_no_leftover() -> None:
    """A process that is started once and used again is accepted; one more each time is not."""
    assert checks.leaves_no_process(ran(*[sample(CHROME)] * 5)).accepted
    piled = ran(sample(CHROME), sample(CHROME, replace(CHROME, pid=10)))
    assert "grew from 2 after the first invocation to 3" in words(checks.leaves_no_process(piled))
    assert checks.leaves_no_process(ran(sample(CHROME), sample())).accepted


@pytest.mark.parametrize(
    ("numbers", "accepted"),
    [
        ([1, 1, 2, 1, 1], True),
        ([1, 4, 4, 4, 4], True),
        ([9, 8, 10, 9, 9], True),
        ([1, 2, 3, 4, 4, 4, 4, 4, 4, 4], True),
        ([1, 2, 3, 4, 5], False),
        ([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], False),
        ([3, 3, 3, 4, 5], False),
    ],
)
def test_processes_that_come_and_go_are_no_growth(numbers: list[int], accepted: bool) -> None:
    """A pool that fills and helpers of a browser that is kept are none; one more with each call is."""
    run = ran(*[sample(*[replace(CHROME, pid=10 + n) for n in range(number - 1)]) for number in numbers])
    assert checks.leaves_no_process(run).accepted is accepted


def test_unseen_aftermath_is_refused() -> None:
    """What could not be measured is not accepted."""
    assert not checks.leaves_no_process(ran(sample(), None)).accepted
    assert not checks.tmp_grows_below(ran(sample(), None), 50).accepted
    assert not checks.tmp_grows_below(replace(ran(sample()), baseline=None), 50).accepted


@pytest.mark.parametrize(("left", "accepted"), [(0, True), (50 * MB - 1, True), (50 * MB, False)])
def test_growth_of_tmp_is_below_the_limit(left: int, accepted: bool) -> None:
    """The limit is exclusive, and counts from what initialisation left."""
    run = replace(ran(sample(tmp=20 * MB + left)), baseline=sample(tmp=20 * MB))
    assert checks.tmp_grows_below(run, 50).accepted is accepted


def test_want_of_memory_is_refused() -> None:
    """A kill for want of memory is refused, with the memory the function has."""
    run = replace(ran(), footprint=replace(ran().footprint, oom_killed=True))
    assert "the function has 512 MB\n" in words(checks.memory_suffices(run))


def test_want_of_memory_that_comes_from_growth_is_reported_with_it() -> None:
    """The remedy is then to keep less, not to add memory."""
    grown = [replace(sample(), memory_bytes=(60 + 120 * n) * MB) for n in range(3)]
    run = ran(*grown, None)
    said = words(checks.memory_suffices(replace(run, footprint=replace(run.footprint, oom_killed=True))))
    assert "with the calls it grew: 60.0 → 180.0 → 300.0 MB" in said
    assert "give the function more memory" not in said


def test_an_image_that_cannot_be_started_differs_from_a_handler_that_fails() -> None:
    """The ENTRYPOINT is blamed only where the engine could not start it."""
    fault = ReportedError("Engine", "exec format error")
    stopped = replace(ran(), init=Init("not started", None, fault))
    assert "ENTRYPOINT cannot be started: exec format error" in words(checks.initialises(stopped))
    failed = replace(ran(), init=Init("failed", None, fault))
    assert "fails to initialise: Engine: exec format error" in words(checks.initialises(failed))


def test_an_image_that_was_not_started_is_refused_with_or_without_a_reason() -> None:
    """With or without an error of the engine."""
    said = words(checks.initialises(replace(ran(), init=Init("not started", None))))
    assert "before it asked for its first event" in said


def test_a_function_that_never_initialised_did_not_start_in_time() -> None:
    """Even if it ended at once."""
    assert not checks.starts_within(replace(ran(), init=Init("ended", 0.1)), 10).accepted


def test_each_way_an_invocation_can_go_wrong_is_named() -> None:
    """The handler's own fault, a bare failure, an end, and a runtime that does not come back."""
    fault = ReportedError("ValueError", "no such action", "/var/task/src/main.py:7: `raise ValueError`")
    failed = ran(sample(), outcome="failed")
    with_error = replace(failed, invocations=(replace(failed.invocations[0], error=fault),))
    assert "the handler failed: ValueError: no such action, at /var/task/src/main.py:7: `raise ValueError`" in words(
        checks.invocations_succeed(with_error, 1)
    )
    assert "the handler failed" in words(checks.invocations_succeed(failed, 1))
    assert "did not answer in time" in words(checks.invocations_succeed(ran(None, outcome="late"), 1))
    assert "did not come back for the next event" in words(checks.invocations_succeed(ran(None), 1))


def test_the_invocation_that_went_wrong_is_the_cause_and_not_their_number() -> None:
    """A run ends at its first failure: that fewer were made than asked for follows from it."""
    (rejection,) = checks.invocations_succeed(ran(sample(), None), 5).rejections
    assert "invocation 2" in rejection.where
    assert "1 of 2 invocations" in words(checks.invocations_succeed(ran(sample()), 2))
    assert checks.invocations_succeed(ran(sample(), sample(), sample()), 2).accepted


def test_the_most_that_any_invocation_left_in_tmp_counts() -> None:
    """Not only what the last one left."""
    said = words(checks.tmp_grows_below(ran(sample(), sample(tmp=60 * MB), sample(tmp=MB)), 50))
    assert "grew by 60.0 MB, and less than 50 MB are allowed" in said
    assert "after invocation 2" in said


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ('{"ok": true, "sent": 2, "more": 1}', True),
        ('{"ok": true}', False),
        ('{"ok": false, "sent": 2}', False),
        ('{"ok": true, "sent": 3}', False),
        ('[["ok", true], ["sent", 2]]', False),
        ('["ok", "sent"]', False),
        ('"ok, sent"', False),
        ("null", False),
        ("not json", False),
        ("", False),
    ],
)
def test_an_answer_holds_every_wanted_field_with_its_value(answer: str, accepted: bool) -> None:
    """Further fields are accepted; missing ones, other values and other types are not."""
    assert answers_hold(ran(sample(), answer=answer), {"ok": True, "sent": 2}).accepted is accepted


def test_a_wanted_field_without_a_value_has_to_be_there() -> None:
    """A missing field differs from one that is null."""
    assert answers_hold(ran(sample(), answer='{"error": null}'), {"error": None}).accepted
    assert not answers_hold(ran(sample(), answer="{}"), {"error": None}).accepted


def test_each_wrong_answer_is_named_and_an_invocation_without_one_is_no_answer() -> None:
    """An invocation without an answer is left to another check; where nothing is wanted, any answer is accepted."""
    run = ran(sample(), sample(), answer='{"ok": false}')
    assert [each.where for each in answers_hold(run, {"ok": True}).rejections] == [
        "Lambda sandbox, invocation 1",
        "Lambda sandbox, invocation 2",
    ]
    assert answers_hold(ran(None, outcome="late", answer=""), {"ok": True}).accepted
    assert answers_hold(ran(sample(), answer="not json"), {}).accepted


@pytest.mark.parametrize(
    "stated",
    [
        '"errors": ["no such element"]',
        '"error": "no such element"',
        '"Error": {"code": 3}',
        '"errorMessage": "Chrome was not started"',
        '"error_message": "x"',
        '"exception": "WebDriverException"',
        '"errorCount": 2',
        '"failures": [{"step": "login"}]',
        '"stackTrace": ["File ..."]',
        '"checks": {"chrome": {"error": "not started"}}',
        '"steps": [{"name": "open"}, {"name": "read", "errors": ["late"]}]',
        '"statusCode": 200, "body": "{\\"ok\\": true, \\"error\\": \\"late\\"}"',
        '"batchItemFailures": [{"itemIdentifier": "1"}]',
        '"FailedEntryCount": 1',
        '"UnprocessedItems": {"t": [1]}',
        '"num_errors": 2',
        '"failure_reason": "no login"',
        '"status": "FAILED"',
        '"results": [{"id": 1, "success": false}]',
        '"statusCode": 200, "body": "{\\"status\\": \\"error\\"}"',
    ],
)
def test_an_error_beside_what_is_wanted_is_no_success(stated: str) -> None:
    """In any spelling and at any depth."""
    said = words(answers_hold(ran(sample(), answer=f'{{"ok": true, {stated}}}'), {"ok": True}))
    assert "the handler's answer states an error" in said
    assert 'beside {"ok": true}' in said
    assert not answers_hold(ran(sample(), answer=f'{{"ok": true, {stated}}}'), {}).accepted


@pytest.mark.parametrize(
    "stated",
    [
        '"errors": []',
        '"error": null',
        '"error": ""',
        '"error": "none"',
        '"error": false',
        '"errors": {"count": 0, "list": []}',
        '"errorCount": 0',
        '"error_rate": 0.01',
        '"warnings": ["slow"]',
        '"title": "Error 404: not found"',
        '"errored_before": true',
        '"default": "x"',
        '"body": "an error occurred in 1999"',
        '"body": "[[[["',
        '"chrome_died": 1',
        '"terrors": ["night"]',
        '"batchItemFailures": [], "FailedEntryCount": 0, "UnprocessedItems": {}, "has_error": false',
        '"on_error": "continue", "retry_on_failure": true, "fault_tolerance": "high"',
        '"status": "success", "state": "failed login page seen", "statusCode": "200"',
        '"bookings": [{"status": "failed"}]',
    ],
)
def test_a_field_that_states_no_error_is_none(stated: str) -> None:
    """Nothing, zero, a word for it, and fields of other names."""
    assert answers_hold(ran(sample(), answer=f'{{"ok": true, {stated}}}'), {"ok": True}).accepted


def test_what_is_wanted_of_an_error_field_is_held_to_it() -> None:
    """A team may agree on an answer that names an error: on that one alone."""
    wanted = {"error": "dry run"}
    assert answers_hold(ran(sample(), answer='{"error": "dry run"}'), wanted).accepted
    assert not answers_hold(ran(sample(), answer='{"error": "other"}'), wanted).accepted
    assert not answers_hold(ran(sample(), answer='{"error": "dry run", "errors": ["x"]}'), wanted).accepted


def test_an_answer_that_is_nested_without_end_is_read_to_a_depth() -> None:
    """Deep nesting neither crashes nor runs without end."""
    deep = '{"a": ' * 300 + "1" + "}" * 300
    assert answers_hold(ran(sample(), answer=f'{{"ok": true, "x": {deep}}}'), {"ok": True}).accepted
    assert not answers_hold(ran(sample(), answer="[" * 100_000), {"ok": True}).accepted
