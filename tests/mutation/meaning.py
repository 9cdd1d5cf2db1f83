"""What a module means, as far as a mutant of it could be noticed."""

from __future__ import annotations

import ast

_PAIRS = ((ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn))
_OPPOSITE = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}


def meaning(source: str, examples: set[str]) -> str | None:
    """The module's syntax tree without what no test has to notice; None when it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    tree.body = [each for each in tree.body if not _named(each) & examples]
    return ast.dump(_Bare().visit(tree))


class _Bare(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(arg=node.arg)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        self.generic_visit(node)
        node.args, node.posonlyargs, node.kwonlyargs = [*node.posonlyargs, *node.args, *node.kwonlyargs], [], []
        node.defaults, node.kw_defaults = [*node.defaults, *(each for each in node.kw_defaults if each)], []
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Name("annotation")
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        node.decorator_list = [each for each in node.decorator_list if "lru_cache" not in _used(each)]
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if not isinstance(node.op, ast.Not):
            return node
        if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
            return inner.operand
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1 and type(inner.ops[0]) in _OPPOSITE:
            return ast.Compare(inner.left, [_OPPOSITE[type(inner.ops[0])]()], inner.comparators)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        says = isinstance(node.func, ast.Name) and node.func.id in {"reject", "Rejection"}
        return _Wordless().visit(node) if says else node

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        return None if node.arg == "known_bad" else self.generic_visit(node)


class _Wordless(ast.NodeTransformer):
    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("a sentence")


def only_for_examples(source: str) -> set[str]:
    """The module's own names that known-bad values are made of, and nothing else uses."""
    tree = ast.parse(source)
    uses = {name: _used(each) for each in tree.body for name in _named(each) if name.startswith("_")}
    known_bad = [each.value for each in ast.walk(tree) if isinstance(each, ast.keyword) and each.arg == "known_bad"]
    found: set[str] = set()
    ahead = {name for each in known_bad for name in _used(each)}
    while ahead := (ahead & set(uses)) - found:
        found |= ahead
        ahead = {name for each in ahead for name in uses[each]}
    rest = ast.Module([_Bare().visit(each) for each in ast.parse(source).body], [])
    while needed := {name for each in rest.body if not _named(each) & found for name in _used(each)} & found:
        found -= needed
    return found


def _named(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
