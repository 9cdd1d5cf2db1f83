"""Prints the mutants of one module as JSON. Runs in the tool's own environment: it imports nothing of this project's.

The operators are cosmic-ray's, fewer than it has, and some that a check needs and it lacks (operators.py). Left out:

- most replacements of a comparison or an arithmetic operator. `<` for `<=` and `!=` are asked about, for they are
  wrong at one value only; `==` for `<` is not, for most values here are digests, names and words, whose order means
  nothing; `is` for `==` is not, for it depends on how Python stores a string.
- what only a type annotation says: it is never evaluated.
- what makes a class a dataclass, and a frozen one; what a cache holds; whether an argument is named by its caller.
- what stands inside the f-strings of a rejection: how its sentences are worded where a value is missing or long.
- the known-bad values: every run feeds them to the checks itself, and has each say no.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from meaning import meaning, only_for_examples
from operators import OWN

_KEYWORDS = ("TrueWithFalse", "FalseWithTrue", "AndWithOr", "OrWithAnd", "BreakWithContinue", "ContinueWithBreak")
_BINARY = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitOr")
_EQUALITIES = ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")
_ORDERS = ("Lt_LtE", "Lt_NotEq", "LtE_Lt", "LtE_Eq", "Gt_GtE", "Gt_NotEq", "GtE_Gt", "GtE_Eq")
NAMES = (
    *(f"Replace{each}" for each in _KEYWORDS),
    *(f"ReplaceBinaryOperator_{each}" for each in _BINARY),
    *(f"ReplaceComparisonOperator_{each}" for each in (*_EQUALITIES, *_ORDERS)),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub"),
    *("AddNot", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
)


def mutants(source: str) -> Iterator[dict[str, object]]:
    """The mutants of a module that mean something else than it does."""
    nodes, examples = list(ast_nodes(get_ast(source))), only_for_examples(source)
    seen = {meaning(source, examples), None}
    for name, operator in [(name, get_operator(f"core/{name}")()) for name in NAMES] + [(o.name, o) for o in OWN]:
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)):
            mutated = mutate_code(source, operator, occurrence)
            means = meaning(mutated, examples)
            if means not in seen:
                seen.add(means)
                yield {"operator": name, **_difference(source, mutated), "source": mutated}


def _difference(source: str, mutated: str) -> dict[str, object]:
    old, new = source.splitlines(), mutated.splitlines()
    changes = [
        each for each in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if each[0] != "equal"
    ]
    first, last, begin, end = changes[0][1], changes[-1][2], changes[0][3], changes[-1][4]
    return {"line": first + 1, "was": _text(old[first:last]), "becomes": _text(new[begin:end])}


def _text(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


if __name__ == "__main__":
    found = sorted(mutants(Path(sys.argv[1]).read_text()), key=lambda each: (each["line"], each["operator"]))
    json.dump(found, sys.stdout)
