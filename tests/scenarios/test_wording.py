"""The wording: titles and steps are unique, because pytest-bdd would let one of two win silently."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from gate.errors import WrongUse
from gate.scenarios.features import scenarios_of

ROOT = Path(__file__).parents[2]
FEATURE = "@ac1\nFeature: F\n  Scenario: one\n    Given x\n  Scenario: {second}\n    Given x\n"


def step_texts():
    """The text of every step decorator under steps/."""
    for path in sorted((ROOT / "steps").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in {
                        "given",
                        "when",
                        "then",
                    }:
                        text = decorator.args[0]
                        yield ast.unparse(text.args[0] if isinstance(text, ast.Call) else text)


def test_no_two_steps_have_the_same_wording():
    """Two steps of one text: one of them would never run."""
    texts = Counter(step_texts())
    assert len(texts) > 50
    assert [text for text, count in texts.items() if count > 1] == []


def test_every_scenario_has_its_own_title_and_one_criterion():
    """The catalogue of the real features is complete, and covers all nine criteria."""
    scenarios = scenarios_of(ROOT / "features")
    assert {scenario.criterion for scenario in scenarios.values()} == set(range(1, 10))


def test_two_scenarios_of_one_title_are_refused(tmp_path):
    """A title that stands twice is an error, in one feature or in two."""
    (tmp_path / "a.feature").write_text(FEATURE.format(second="two"))
    assert len(scenarios_of(tmp_path)) == 2
    (tmp_path / "same").mkdir()
    (tmp_path / "same" / "a.feature").write_text(FEATURE.format(second="one"))
    with pytest.raises(WrongUse, match="two scenarios are called 'one'"):
        scenarios_of(tmp_path / "same")
    (tmp_path / "b.feature").write_text(FEATURE.format(second="three").replace("one", "two"))
    with pytest.raises(WrongUse, match="two scenarios are called 'two'"):
        scenarios_of(tmp_path)


def test_a_scenario_without_a_criterion_is_refused(tmp_path):
    """A scenario that belongs to no criterion would be missed by the verdict."""
    (tmp_path / "a.feature").write_text("Feature: F\n  Scenario: one\n    Given x\n")
    with pytest.raises(WrongUse, match="must name one criterion"):
        scenarios_of(tmp_path)


def test_only_aws_scenarios_say_why():
    """Whoever reads the report learns why a rehearsal left a scenario out."""
    reasons = {c.name: c.description for c in scenarios_of(ROOT / "features").values() if "aws" in c.tags}
    assert reasons
    assert all(reason.startswith("Only AWS") for reason in reasons.values())
