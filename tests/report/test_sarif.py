"""Where developers look: one SARIF result and one annotation for each cause, at the file that it names."""

import re

import pytest
from jsonschema import Draft7Validator

from gate.causes import causes
from gate.check import Rejection
from gate.report.sarif import Place, SourceFiles, error_commands, sarif
from gate.scenarios.features import HOME, scenarios_of
from gate.verdict import ScenarioOutcome

CHECK = "gate.scan.exceptions.exception_checks.fixed_or_excepted"
# Written by hand after the published schema (OASIS, SARIF 2.1.0 errata 01), of the parts that the gate writes: no
# package on PyPI that the gate uses holds the schema itself.
_MESSAGE = {
    "type": "object", "additionalProperties": False, "required": ["text"], "properties": {"text": {"type": "string"}},
}  # fmt: skip
_LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "uri": {"type": "string", "format": "uri-reference"},
                        "uriBaseId": {"type": "string"},
                    },
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                },
            },
        }
    },
}
_RULE = {
    "type": "object", "additionalProperties": False, "required": ["id"],
    "properties": {"id": {"type": "string"}, "shortDescription": _MESSAGE},
}  # fmt: skip
_RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": _MESSAGE,
        "locations": {"type": "array", "items": _LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
    },
}
_NOTE = {
    "type": "object", "additionalProperties": False, "required": ["message"],
    "properties": {"level": {"enum": ["none", "note", "warning", "error"]}, "message": _MESSAGE},
}  # fmt: skip
_RUN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tool"],
    "properties": {
        "tool": {
            "type": "object",
            "additionalProperties": False,
            "required": ["driver"],
            "properties": {
                "driver": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "rules": {"type": "array", "uniqueItems": True, "items": _RULE},
                    },
                }
            },
        },
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["executionSuccessful"],
                "properties": {
                    "executionSuccessful": {"type": "boolean"},
                    "toolExecutionNotifications": {"type": "array", "items": _NOTE},
                },
            },
        },
        "results": {"type": "array", "items": _RESULT},
        "properties": {"type": "object"},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": _RUN},
    },
}


@pytest.fixture
def files(tmp_path):
    """A repository with a Dockerfile, its register, and a folder of reports."""
    for name in ("image/Dockerfile", "image/requirements.txt", "image/exceptions.yaml", "pytest.ini",
                 "reports/evidence/001.json", "image/a file.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    scenarios = {"a scenario": Place("features/ac9.feature", 6)}
    return SourceFiles(tmp_path, tmp_path / "image", tmp_path / "reports", scenarios)


def failed(*where, cause="it is not", check=CHECK, checked=True, name="a scenario"):
    """What a run with one failed scenario tells."""
    told = tuple(Rejection(cause, each, "mend it", check=check) for each in where)
    return causes([ScenarioOutcome(name, 9, "failed", rejections=told, checked=checked)])


@pytest.mark.parametrize(
    ("where", "uri", "line"),
    [
        ("image/exceptions.yaml:12", "image/exceptions.yaml", 12),
        ("exceptions.yaml:12", "image/exceptions.yaml", 12),
        ("image/exceptions.yaml, coverage", "image/exceptions.yaml", None),
        ("Dockerfile:3", "image/Dockerfile", 3),
        ("requirements.txt:5 (numpy)", "image/requirements.txt", 5),
        ("pytest.ini", "pytest.ini", None),
        ("Dockerfile:0", "image/Dockerfile", None),
        ("../pytest.ini:4", "pytest.ini", 4),
        ("https://example.org/image/Dockerfile:3", "features/ac9.feature", 6),
        ("/etc/passwd:1", "features/ac9.feature", 6),
        ("../../../../../etc/passwd", "features/ac9.feature", 6),
        ("reports/evidence/001.json", "features/ac9.feature", 6),
        ("sha256:" + "a" * 5000, "features/ac9.feature", 6),
        ("", "features/ac9.feature", 6),
    ],
)
def test_a_result_is_at_the_file_that_its_cause_names(files, where, uri, line) -> None:
    """Else at the scenario that it failed; never at a file of this machine, or of the reports."""
    (result,) = sarif(failed(where), files, "NO-GO")["runs"][0]["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert location["physicalLocation"].get("region", {}).get("startLine") == line


def test_one_result_for_each_cause_by_the_schema(files) -> None:
    """Two causes, one of a check and one of a missing fact; and what stands against the release beside them."""
    told = (*failed("Dockerfile:3", "pytest.ini", cause="a {x} [link](http://198.51.100.1)"),
            *failed("", check="", checked=False, name="unknown to features/"))  # fmt: skip
    log = sarif(told, files, "NO-GO", ["the run was interrupted"])
    assert list(Draft7Validator(SCHEMA).iter_errors(log)) == []
    one, two = log["runs"][0]["results"]
    assert [one["ruleId"], two["ruleId"]] == [CHECK, "fact-missing"]
    assert "a {{x}} [link] (http://198.51.100.1)" in one["message"]["text"]
    assert "where: pytest.ini" in one["message"]["text"]
    assert "to do: mend it" in one["message"]["text"]
    assert two["locations"] == []
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert rules[0]["shortDescription"]["text"].startswith("Every finding of this severity or above is fixed")
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_a_run_without_a_cause_has_no_result(files) -> None:
    """And is a valid log; GitHub closes the alerts of before by it."""
    log = sarif((), files, "GO")
    assert list(Draft7Validator(SCHEMA).iter_errors(log)) == []
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_the_same_cause_has_the_same_fingerprint(files) -> None:
    """Whatever else failed, and wherever it is now."""
    prints = {
        sarif(failed(where, cause=cause), files, "NO-GO")["runs"][0]["results"][0]["partialFingerprints"]["cause/v1"]
        for where, cause in (("Dockerfile:3", "a"), ("Dockerfile:4", "a"), ("Dockerfile:3", "b"))
    }
    assert len(prints) == 2


def test_an_annotation_for_each_cause_that_can_command_nothing(files) -> None:
    """Line breaks, percent signs, colons and commas are escaped; more than GitHub shows are not written."""
    hostile = "no %0A\n::set-output name=x::y"
    (line,) = error_commands(failed("image/exceptions.yaml:12", cause=hostile), files)
    assert line.startswith("::error file=image/exceptions.yaml,line=12,title=release gate%3A AC9::no %250A")
    assert "\n" not in line
    (line,) = error_commands(failed("Dockerfile"), files)
    assert line.startswith("::error file=image/Dockerfile,title=")
    many = [each for n in range(12) for each in failed("", cause=f"cause {n}", name=f"{n}")]
    assert len([*error_commands(many, files)]) == 10


def test_each_scenario_has_its_line() -> None:
    """The title of its scenario."""
    for each in scenarios_of(HOME).values():
        line = (HOME / each.feature).read_text(encoding="utf-8").splitlines()[each.line - 1]
        assert re.fullmatch(rf"\s*Scenario( Outline)?: {re.escape(each.name)}\s*", line)
