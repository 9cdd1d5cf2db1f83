"""No remedy weakens a security control: not those of the known-bad inputs, and none that is written in the code."""

import ast
import re
from pathlib import Path

import pytest

from gate.check import CHECKS
from gate.report.handbook import handbook

handbook()  # enters every check on the list of checks

GATE = Path(__file__).parents[2] / "gate"
# What a remedy may never say. A control that is said to stay ("the Deny stays as it is") is none of these.
WEAKENS = re.compile(
    r"""(?ix)
    \b(?:remov|drop|delet|lift|relax|loosen|weaken|disabl|bypass|suspend|tak\w*\s+away)\w*\s+(?:\w+\s+){0,3}
        (?:den(?:y|ies)|condition|boundar|policy|polic|restriction|perimeter|control|immutab|mfa|scan(?:ning)?\b)
    | den(?:y|ied|ies)\s+it\s+nowhere | \bnowhere\b
    | without\s+(?:a|any)\s+condition
    | (?:turn|switch)\w*\s+(?:it|them|the\s+\w+)?\s*off
    | \b(?:allow|permit|trust|open)\w*\s+(?:it\s+to\s+)?(?:every|any|all\b)
    | \bopen\w*\s+(?:the|a|its)\s+(?:policy|repository|registry|role)
    | "Principal":\s*"\*" | \bResource\W+\*  | \becr:\*
    | (?:exempt|except)\w*\s+(?:\w+\s+){0,3}(?:from\s+)?(?:the\s+)?(?:den|perimeter|boundar)
    | \blist\s+(?:the\s+)?(?:deleted|AROA|AIDA)
    """
)


def written():
    """Every text of a remedy in the code: an argument of that name, or the last one of a rejection."""
    for path in sorted(GATE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from (("remedy", path.name, text) for text in _remedies(node))


def _remedies(node):
    if isinstance(node, ast.Call):
        named = [each.value for each in node.keywords if each.arg in ("remedy", "paste")]
        callee = getattr(node.func, "id", getattr(node.func, "attr", ""))
        placed = node.args[2:] if callee in ("Rejection", "reject") else []
        for value in (*named, *placed):
            yield from _texts(value)
    if isinstance(node, ast.FunctionDef) and re.search(r"way_out|way_to|remedy", node.name):
        for each in ast.walk(node):
            if isinstance(each, ast.Return) and each.value is not None:
                yield from _texts(each.value)
    targets = [getattr(each, "id", "") for each in node.targets] if isinstance(node, ast.Assign) else []
    if any(re.search(r"REMEDY|REVIEW|ANEW|RECORD|NAME_THEM", each) for each in targets):
        yield from _texts(node.value)


def _texts(value):
    parts = [each.value for each in ast.walk(value) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if parts:
        yield " ".join(parts)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_the_way_out_of_a_known_bad_answer_weakens_nothing(name):
    """Each check says no to its known-bad value; what it tells a person to do leaves every control as it is."""
    for rejection in CHECKS[name].function(*CHECKS[name].known_bad()).rejections:
        assert not WEAKENS.search(rejection.remedy), rejection.remedy


def test_no_remedy_that_is_written_anywhere_weakens_a_control():
    """Also those that no known-bad value brings about."""
    found = list(written())
    assert len(found) > 100
    assert [each for each in found if WEAKENS.search(each[2])] == []


@pytest.mark.parametrize(
    "text",
    [
        "allow it without a condition that only the request could answer, and deny it nowhere",
        "remove the Deny from the repository policy",
        "take away the permissions boundary",
        "drop its condition",
        "allow everybody to pull",
        "turn it off",
        "switch the scanning off",
        "open the repository for the role",
        "exempt the role from the perimeter",
        "grant ecr:* to the role",
        "disable tag immutability and the policy",
        "list the deleted principal in principals.yaml",
    ],
)
def test_what_would_weaken_a_control_is_recognised(text):
    """The pattern of this test says no, too."""
    assert WEAKENS.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "take the permission away, or have the infra team review it",
        "use a principal that the Deny lets through, or ask those who keep it; the Deny stays as it is",
        "name each principal there; a condition is no principal",
        "add a condition to the statement",
        "state ci_source_ips in pytest.ini: then the condition is decided, and stays as it is",
    ],
)
def test_what_strengthens_a_control_may_be_said(text):
    """No false alarm."""
    assert not WEAKENS.search(text)
