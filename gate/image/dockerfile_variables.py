"""What is put in the place of variables in a Dockerfile (its reference, "Environment replacement"). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_]\w*|\d+")
_DEPTH = 20
_ANY = {"*": ".*", "?": "."}


class SubstitutionError(ValueError):
    """A word whose variables cannot be substituted; the message is the end of a sentence."""


def substitute(word: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables substituted and its quotes removed; a variable without a value is empty.

    Raises:
        SubstitutionError: a quote or brace is not closed, or a form is used that is not known here.
    """
    return _Word(word, values, escape).substituted()


class _Word:
    def __init__(self, text: str, values: Mapping[str, str], escape: str, depth: int = 0) -> None:
        if depth > _DEPTH:
            raise SubstitutionError("it nests more variables than are followed")
        self._text, self._values, self._escape, self._depth = text, values, escape, depth

    def substituted(self) -> str:
        found, at, quoted = "", 0, False
        while at < len(self._text):
            here = self._text[at]
            if here == "'" and not quoted:
                end = self._closing("'", at + 1)
                found, at = found + self._text[at + 1 : end], end + 1
            elif here == '"':
                quoted, at = not quoted, at + 1
            elif here == self._escape:
                # Within double quotes it is kept, except before a quote, a dollar sign or another escape.
                kept = here if quoted and self._text[at + 1 : at + 2] not in {'"', "$", self._escape} else ""
                found, at = found + kept + self._text[at + 1 : at + 2], at + 2
            elif here == "$":
                value, at = self._variable(at + 1)
                found += value
            else:
                found, at = found + here, at + 1
        if quoted:
            raise SubstitutionError("a quote is not closed")
        return found

    def _closing(self, mark: str, at: int) -> int:
        end = self._text.find(mark, at)
        if end < 0:
            raise SubstitutionError("a quote is not closed")
        return end

    def _variable(self, at: int) -> tuple[str, int]:
        """The value of the variable after a dollar sign, and the position after it."""
        braced = self._text[at : at + 1] == "{"
        named = _NAME.match(self._text, at + braced)
        if named is None:
            if braced:
                raise SubstitutionError("a variable has no name")
            return "$", at
        if not braced:
            return self._values.get(named[0], ""), named.end()
        end = self._brace(named.end())
        return self._formed(named[0], self._text[named.end() : end]), end + 1

    def _brace(self, at: int) -> int:
        depth = 1
        while at < len(self._text):
            if self._text[at] == self._escape:
                at += 1
            elif self._text.startswith("${", at):
                depth, at = depth + 1, at + 1
            elif self._text[at] == "}":
                depth -= 1
                if not depth:
                    return at
            at += 1
        raise SubstitutionError("a brace is not closed")

    def _formed(self, name: str, form: str) -> str:
        """${name}, ${name-word}, ${name+word}, ${name?word}, and the forms of `_changed`.

        With a colon before the sign an empty value counts as none.
        """
        value = self._values.get(name)
        colon = form.startswith(":")
        there = value is not None and not (colon and not value)
        sign, word = form[colon : colon + 1], form[colon + 1 :]
        if not form:
            return value or ""
        if not colon and sign in {"#", "%", "/"} and self._escape not in form:
            return self._changed(value or "", sign, form)
        if sign not in {"-", "+", "?"}:
            raise SubstitutionError(f"the form ${{{name}{form}}} is not known here")
        if sign == "?" and not there:
            raise SubstitutionError(f"{name} has no value")
        if sign == "+":
            return self._inner(word) if there else ""
        return value or "" if there else self._inner(word)

    def _changed(self, value: str, sign: str, form: str) -> str:
        """${name#pattern}, ${name%pattern} (doubled: longest match), ${name/pattern/word} (doubled: every match)."""
        doubled = form.startswith(2 * sign)
        rest = form[1 + doubled :]
        if sign == "/":
            pattern, second, word = rest.partition("/")
            # Builders differ in how often they replace a pattern that matches the empty text.
            if not (pattern.strip("*") and second) or "${" in pattern:
                raise SubstitutionError(f"the form {form} is not known here")
            found = self._inner(word)
            return re.sub(_expression(pattern), lambda _match: found, value, count=0 if doubled else 1)
        ends = range(len(value) + 1) if doubled == (sign == "%") else range(len(value), -1, -1)
        matches = re.compile(_expression(self._inner(rest)), re.S).fullmatch
        if sign == "#":
            return next((value[end:] for end in ends if matches(value[:end])), value)
        return next((value[:end] for end in ends if matches(value[end:])), value)

    def _inner(self, word: str) -> str:
        return _Word(word, self._values, self._escape, self._depth + 1).substituted()


def _expression(pattern: str) -> str:
    """A shell pattern as a regular expression: * is any text, ? any character."""
    return "".join(_ANY.get(each) or re.escape(each) for each in pattern)
