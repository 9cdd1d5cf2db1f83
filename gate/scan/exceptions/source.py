"""YAML read as plain text values that know their lines. Pure.

Nothing is constructed from a tag and no scalar is given a type, so `expires: 2026-12-01` and `id: 1e3` are the
texts that a person wrote. Duplicate keys, aliases and foreign tags are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

# A register of 1,000 entries is about 400 KB; more is not a register that somebody reviews.
MAX_BYTES = 1_000_000
_SYNTAX = "correct the syntax at that line (indentation, brackets, quotes)"
_DEEPEST = 10
_CORE = "tag:yaml.org,2002:"
# libyaml's where PyYAML was built with it, as its wheels are: a run reads a dozen such files.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = frozenset(_CORE + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq"))

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class RegisterFault:
    """Something wrong with the register at one line.

    Attributes:
        line: counted from 1.
        sentence: what is wrong.
        remedy: what to write instead.
    """

    line: int
    sentence: str
    remedy: str = ""


@dataclass
class YamlDocument:
    """A YAML document.

    Attributes:
        value: mappings, lists and texts only.
        lines: the line of each value, by its path.
        faults: what could not be read.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[RegisterFault] = field(default_factory=list)

    def add_fault(self, line: int, sentence: str, remedy: str = "") -> None:
        """Note what is wrong at a line."""
        self.faults.append(RegisterFault(line, sentence, remedy))

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> YamlDocument:
    """Read one YAML document; whatever is wrong with it is in its faults, each with its line."""
    document = YamlDocument()
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        document.add_fault(1, f"the file is larger than {MAX_BYTES:,} bytes", "keep only entries in force")
        return document
    try:
        _refuse_bombs(text, document)
        root = None if document.faults else yaml.compose(text, Loader=_LOADER)
        if root is not None:
            document.value = _plain(root, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.add_fault(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem}", _SYNTAX)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        document.add_fault(1, f"this is not YAML: {type(error).__name__}: {error}", _SYNTAX)
    return document


def _refuse_bombs(text: str, document: YamlDocument) -> None:
    # A few nested aliases can stand for more text than memory holds; deep nesting takes the parser minutes.
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            document.add_fault(line, f"the alias *{event.anchor} is not allowed", "write the value out")
            return
        if depth > _DEEPEST:
            document.add_fault(line, f"more than {_DEEPEST} levels of nesting are no register")
            return


def _plain(node: yaml.Node, path: Path, document: YamlDocument) -> Any:
    line = node.start_mark.line + 1
    document.lines[path] = line
    if node.tag not in _PLAIN_TAGS:
        document.add_fault(line, f"the tag {node.tag} is not allowed", "write plain text")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, at), document) for at, item in enumerate(node.value)]
    return str(node.value).strip()


def _mapping(node: yaml.MappingNode, path: Path, document: YamlDocument) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
        line = key_node.start_mark.line + 1
        if not key or key == "<<":
            document.add_fault(line, "a key must be a plain word")
        elif key in values:
            document.add_fault(line, f"the key {key!r} is given twice", "keep one of the two")
        else:
            values[key] = _plain(value_node, (*path, key), document)
            document.lines[(*path, key)] = line
    return values
