"""A step means the function that pytest-bdd itself would find, whatever stands over or beside it."""

import importlib.util

import pytest

from gate.scenarios.step_lookup import find

CONFTEST = """
from pytest_bdd import given, step, then, parsers
given("a repository")(lambda: None)
then("a repository")(lambda: None)
step("an image")(lambda: None)
step(parsers.parse("{count:d} images"))(lambda: None)
then(parsers.re("(?P<count>[0-9]+) (images|tags)"))(lambda count: None)
"""
MODULE = """
from pytest_bdd import given, scenarios
scenarios("a.feature")
given("a repository")(lambda: None)
"""
FEATURE = """
Feature: a
  Scenario Outline: b
    Given a repository
    And <count> images
    When an image
    Then a repository
    And <count> tags
    And <count> images
    Examples:
      | count |
      | 1     |
      | 22    |
"""


class Both:
    """Asks both of each step that is run."""

    def __init__(self):
        spec = importlib.util.find_spec("pytest_bdd.scenario")
        self._library, self.found = importlib.util.module_from_spec(spec), {}
        spec.loader.exec_module(self._library)

    def pytest_bdd_before_step(self, request, step):
        """Before it runs."""
        asked = {"step": step, "fixturemanager": request._fixturemanager, "node": request.node}
        own = list(self._library.find_fixturedefs_for_step(**asked))
        self.found[f"{step.type} {step.name}"] = len(own)
        assert sorted(map(id, find(**asked))) == sorted(map(id, own))


def test_a_step_means_what_the_library_finds(tmp_path):
    """Over it, beside it, of another type, of no type, with a pattern, and with two that fit."""
    for name, text in {
        "conftest.py": CONFTEST,
        "test_a.py": MODULE,
        "a.feature": FEATURE,
        "pytest.ini": "[pytest]",
    }.items():
        (tmp_path / name).write_text(text)
    both = Both()
    assert pytest.main([str(tmp_path), "-q", "-c", str(tmp_path / "pytest.ini"), "-p", "no:cacheprovider"], [both]) == 0
    assert both.found == {"given a repository": 2, "given 1 images": 1, "given 22 images": 1, "when an image": 1,
                          "then a repository": 1, "then 1 tags": 1, "then 22 tags": 1,
                          "then 1 images": 2, "then 22 images": 2}  # fmt: skip
