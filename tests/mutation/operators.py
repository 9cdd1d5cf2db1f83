"""Changes that a check has to notice and that cosmic-ray does not make. Runs in the tool's environment."""

from __future__ import annotations

from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Name

_ACCEPTED = '(lambda *_, **__: __import__("gate.check").check.ACCEPTED)'


class DropTerm(Operator):
    """Leaves out one term of `a and b`, `a or b` or `a + b`: each condition, each judgement has to matter."""

    name = "DropTerm"

    def mutation_positions(self, node):
        """One per term."""
        if node.type in {"and_test", "or_test", "arith_expr"} and set(map(_word, node.children[1::2])) <= {
            "and",
            "or",
            "+",
        }:
            for term in node.children[::2]:
                yield term.start_pos, term.end_pos

    def mutate(self, node, index):
        """Without the term, and without the word before it (after it, if it is the first)."""
        first = max(2 * index - 1, 0)
        kept = [each for place, each in enumerate(node.children) if place not in {first, first + 1}]
        return _parsed(node, "".join(each.get_code() for each in kept))

    @classmethod
    def examples(cls):
        """For the tool's own sake."""
        return (Example("x = a and b", "x = b"),)


class Accept(Operator):
    """Has a check accept where it would reject: `reject(…)` and `CheckResult.of(…)` become ACCEPTED."""

    name = "Accept"

    def mutation_positions(self, node):
        """The calls."""
        code = [each.get_code(include_prefix=False) for each in node.children[:3]] if node.type == "atom_expr" else []
        if code and ((code[0] == "reject" and code[1][:1] == "(") or code[:2] == ["CheckResult", ".of"]):
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        """The same call, of a function that accepts whatever it is given."""
        return _parsed(node, _ACCEPTED + node.children[-1].get_code())

    @classmethod
    def examples(cls):
        """For the tool's own sake."""
        return (Example("x = reject(y)", f"x = {_ACCEPTED}(y)"),)


class NegateFilter(Operator):
    """Turns the condition of a comprehension round."""

    name = "NegateFilter"

    def mutation_positions(self, node):
        """The conditions."""
        if node.type == "comp_if":
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        """`if (not (…))`."""
        return _parsed(node, f"if (not ({node.children[1].get_code()}))")

    @classmethod
    def examples(cls):
        """For the tool's own sake."""
        return (Example("[x for x in y if x]", "[x for x in y if (not ( x))]"),)


class SwapWord(Operator):
    """One word for its opposite: any and all, in and not in."""

    name = "SwapWord"

    def mutation_positions(self, node):
        """The words that ask, not those of a loop."""
        is_in = node.type == "comparison" and _word(node.children[1]) in {"in", "not in"}
        called = node.type == "atom_expr" and node.children[0].type == "name" and node.children[1].get_code()[:1] == "("
        if is_in or (called and node.children[0].value in {"any", "all"}):
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        """The same expression with the other word."""
        place = 1 if node.type == "comparison" else 0
        other = {"in": " not in", "not in": " in", "any": "all", "all": "any"}[_word(node.children[place])]
        code = [each.get_code() for each in node.children]
        return _parsed(node, "".join([*code[:place], other, *code[place + 1 :]]))

    @classmethod
    def examples(cls):
        """For the tool's own sake."""
        return (Example("x in y", "x not in y"),)


class LetThrough(Operator):
    """Has an `except` let through one of what it catches; cosmic-ray's own operator fails at a name with a dot."""

    name = "LetThrough"

    def mutation_positions(self, node):
        """One per exception caught."""
        for each in _caught(node):
            yield each.start_pos, each.end_pos

    def mutate(self, node, index):
        """The others in a tuple, the empty one if there is no other."""
        others = "".join(f"{each.get_code().strip()}, " for place, each in enumerate(_caught(node)) if place != index)
        return _parsed(node, f"except ({others})" + "".join(each.get_code() for each in node.children[2:]))

    @classmethod
    def examples(cls):
        """For the tool's own sake."""
        return (Example("try: x()\nexcept (A, b.C): pass", "try: x()\nexcept (b.C, ): pass"),)


OWN = (DropTerm(), Accept(), NegateFilter(), SwapWord(), LetThrough())


def _caught(node):
    """The exceptions that an `except` names."""
    if node.type != "except_clause":
        return []
    caught = node.children[1]
    inner = caught.children[1] if caught.type == "atom" else caught
    return inner.children[::2] if inner.type == "testlist_comp" else [inner]


def _word(node) -> str:
    return " ".join(node.get_code().split())


def _parsed(node, code: str):
    # A name may hold any text: what is put together anew is read as a tree again only by whoever reads the mutant.
    return Name(node.get_first_leaf().prefix + code.strip(), node.start_pos)
