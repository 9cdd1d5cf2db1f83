"""The recipe "Add a check" of docs/architecture.md: what it names exists, and its snippets fit where it puts them."""

import ast
import builtins
import importlib
import inspect
import re
from pathlib import Path

import pytest
import yaml

from gate import check
from gate.scenarios.features import scenarios_of
from tests.wiring.table import images, rehearsals

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
RECIPE = PAGE.partition("\n## Add a check\n")[2].partition("\n## ")[0]
# Each snippet with the text above it, since the snippet before.
PARTS = re.findall(r"(.*?)```(\w+)\n(.*?)```", RECIPE, re.S)
CATALOGUE = (ROOT / "tests" / "faults" / "catalogue.yaml").read_text(encoding="utf-8")


def snippets(language):
    """The snippets of a language, each with the first file of this kind that the text above it names."""
    ending = {"gherkin": "feature", "python": "py", "yaml": "yaml"}[language]
    return [(re.findall(rf"`([\w/]+\.{ending})`", above)[-1], text) for above, kind, text in PARTS if kind == language]


(FEATURE, SCENARIO), *_ = snippets("gherkin")
CODE = dict(snippets("python"))
CHECK, STEPS, TEST = CODE
TITLE = re.search(r"Scenario: (.+)", SCENARIO)[1]


def names_in(tree):
    """What the top level of a module defines or imports."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(each.asname or each.name).split(".")[0] for each in node.names}
        else:
            found |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return found


@pytest.mark.parametrize("file", sorted(set(re.findall(r"`([\w/-]+/[\w.-]+\.\w+)`", RECIPE))))
def test_each_file_that_the_recipe_names_exists(file):
    """The feature, the modules, the catalogue and the tables."""
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("file", CODE)
def test_the_code_fits_into_its_module(file):
    """It parses, defines nothing that stands there already, and uses what is imported there or made in the recipe."""
    added, there = ast.parse(CODE[file]), names_in(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    local = {each.arg for each in ast.walk(added) if isinstance(each, ast.arg)}
    used = {each.id for each in ast.walk(added) if isinstance(each, ast.Name)}
    new = {name for code in CODE.values() for name in names_in(ast.parse(code)) if f"def {name}(" in code}
    assert names_in(added) & there == set()
    assert used - local - there - new - set(dir(builtins)) == set()


def test_the_scenario_is_new_and_has_its_steps(tmp_path):
    """Appended to its feature it is one scenario more, and each of its lines is a step that no other module words."""
    old = ROOT / FEATURE
    (tmp_path / old.name).write_text(old.read_text(encoding="utf-8") + "\n" + SCENARIO, encoding="utf-8")
    before, after = ({each.name for each in scenarios_of(folder).values()} for folder in (old.parent, tmp_path))
    assert after - before == {TITLE}
    worded = re.compile(r'^@(?:given|when|then)\("(.+)"\)', re.M)
    lines = re.findall(r"^ +(?:Given|When|Then|And) (.+)$", SCENARIO, re.M)
    assert worded.findall(CODE[STEPS]) == lines
    every = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "steps").glob("*.py"))
    assert set(lines) & set(worded.findall(every)) == set()


def entered(monkeypatch):
    """The check, entered on a copy of the list of checks, in the names of its module."""
    module = importlib.import_module(CHECK.removesuffix(".py").replace("/", "."))
    monkeypatch.setattr(check, "CHECKS", {})
    names = dict(vars(module))
    exec(compile(CODE[CHECK], CHECK, "exec"), names)  # noqa: S102 - the page's own snippet
    return names


def test_the_check_says_no_to_its_known_bad_value_in_the_words_of_the_fault(monkeypatch):
    """And the fault, for which the recipe names a place in the catalogue, is about the new scenario."""
    entered(monkeypatch)
    (proof,) = check.run_self_tests()
    assert proof.said_no
    fault, table = (yaml.safe_load(text) for _, text in snippets("yaml"))
    assert fault[0]["scenario"] == TITLE
    assert fault[0]["fault"] not in CATALOGUE
    assert re.search(r"^ +# -+ AC7 -+$", CATALOGUE, re.M)
    assert [words in proof.answer for words in (*fault[0]["says"], *table["rehearsals"][0]["red"][TITLE])] == [True] * 2


def test_the_unit_test_passes(monkeypatch):
    """Each of its cases."""
    names = {**entered(monkeypatch), "pytest": pytest}
    exec(compile(CODE[TEST], TEST, "exec"), names)  # noqa: S102 - likewise
    (test,) = (value for name, value in names.items() if name.startswith("test_") and inspect.isfunction(value))
    (cases,) = (mark.args[1] for mark in test.pytestmark)
    for case in cases:
        test(*case)


def test_the_rehearsal_that_gets_a_line_more_is_there():
    """One image and one rehearsal on it, with the line below which the new one stands."""
    (_, text) = snippets("yaml")[-1]
    ((image, lines),) = yaml.safe_load(text)["images"].items()
    assert images()[image].splitlines()[-1] == lines.splitlines()[-1]
    assert [each.options[-2] for each in rehearsals() if each.image == image] == ["-k"]
