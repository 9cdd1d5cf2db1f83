"""The wording of the scenarios about the function in Lambda's sandbox."""

import pytest
from pytest_bdd import parsers, then, when

from gate.check import require
from gate.runtime import invocation_checks
from gate.runtime.answer_checks import answers_hold
from gate.runtime.browser_activity import browser_worked
from gate.runtime.growth import series_of

ASKED = "docker run --read-only --tmpfs /tmp:size=512m,exec,mode=1777 --user 993:990 --cap-drop ALL --network none …"


@when("Lambda's sandbox starts the handler")
def sandbox_starts(candidate, evidence):
    """From the container's start to the first request for an event."""
    evidence.add("initialisation", candidate.handler_run, asked=ASKED)


@then(parsers.parse("it asks for its first event within {limit:d} seconds"))
def first_event_within(candidate, limit):
    """Lambda's init limit, at the configured memory."""
    require(invocation_checks.initialises(candidate.handler_run))
    require(invocation_checks.starts_within(candidate.handler_run, limit))


@when(parsers.parse("Lambda's sandbox sends the safe event {count:d} times"), target_fixture="invocations")
def safe_event_sent(candidate, evidence, release, count):
    """Only the event that pytest.ini names as safe is sent."""
    if release.event is None:
        pytest.skip("pytest.ini names no safe event, so the handler was initialised and never invoked")
    evidence.add("invocations", candidate.handler_run, asked=f"{ASKED}; POST {release.safe_event}")
    return count


@then("every invocation succeeds")
def invocations_succeed(candidate, release, invocations):
    """Answered as agreed, without a process killed for want of memory."""
    require(invocation_checks.memory_suffices(candidate.handler_run))
    require(invocation_checks.invocations_succeed(candidate.handler_run, invocations))
    require(answers_hold(candidate.handler_run, release.answer))


@then("no process is left over")
def no_process_left(candidate):
    """No zombies, and no more processes from call to call."""
    require(invocation_checks.leaves_no_process(candidate.handler_run))


@then(parsers.parse("less than {limit:d} MB more is in /tmp"))
def tmp_growth(candidate, limit):
    """A warm function keeps its /tmp."""
    require(invocation_checks.tmp_grows_below(candidate.handler_run, limit))


@then("neither /tmp, memory, threads nor open files grow with each call")
def nothing_grows(candidate, evidence):
    """What grows steadily reaches its limit after a number of calls."""
    evidence.add("growth", series_of(candidate.handler_run), asked=f"{ASKED}; measured after each invocation")
    require(invocation_checks.nothing_grows(candidate.handler_run))


@then("a browser was at work meanwhile")
def browser_at_work(candidate, release, evidence):
    """Seen among the processes of the sandbox, whatever the handler answers."""
    if absent := release.absent_parts.get("browser"):
        evidence.add("not part of this release", absent, asked="pytest.ini, chrome_bin")
        return
    require(browser_worked(candidate.handler_run))
