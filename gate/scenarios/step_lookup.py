"""Which function a step of a feature means: pytest-bdd's own answer, with its two questions in the cheaper order."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from pytest_bdd.steps import step_function_context_registry

# By the collection of fixtures and the text of a step, the names of those that may be meant: each step asks twice.
_NAMES: WeakKeyDictionary[Any, dict[tuple[str, str], dict[str, None]]] = WeakKeyDictionary()


def find(step: Any, fixturemanager: Any, node: Any) -> Iterator[Any]:
    """The definitions of this text that the node sees.

    The library asks pytest of each fixture whether it is visible, then compares texts: 200 questions for each of 350
    steps, a second and more of each run. Here the texts come first, and pytest is asked about those that fit.
    """
    known, text = _NAMES.setdefault(fixturemanager, {}), (step.type, step.name)
    if text not in known:
        every = fixturemanager._get_all_fixture_defs()
        known[text] = dict.fromkeys(each.argname for each in every if _means(each, step))
    for name in known[text]:
        for definition in fixturemanager.getfixturedefs(name, node) or ():
            if _means(definition, step):
                yield definition


def _means(definition: Any, step: Any) -> bool:
    context = step_function_context_registry.get(definition.func)
    return context is not None and context.type in (None, step.type) and bool(context.parser.is_matching(step.name))


def install() -> None:
    """Let pytest-bdd look up steps this way."""
    # Its package has a function of the module's name, which an import statement would find.
    library: Any = importlib.import_module("pytest_bdd.scenario")
    library.find_fixturedefs_for_step = find
