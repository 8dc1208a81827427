"""Conditions on a task: the part of the Common Expression Language that compilers of DAGs write.

Literals, `inputs.artifacts['key'].artifacts[0].metadata['name']` and `.uri` and `.name`,
`inputs.parameter_values['key']`, comparisons, `+`, `!`, `&&`, `||` and parentheses. As the language
has it, values of different types cannot be compared. Unlike there, both sides of `&&` and `||` must
have an answer.
https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from components.errors import PostersError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[-+<>!().\[\]]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "null": None}


def holds(condition: str, inputs: Mapping[str, Any]) -> bool:
    """Whether a condition holds.

    Args:
      condition: the expression.
      inputs: what `inputs` stands for: nested mappings, sequences, text, floats, truth values.

    Raises:
      PostersError: it cannot be read, or not be answered from these inputs.
    """
    try:
        value = _Reader(condition, inputs).whole()
    except (LookupError, TypeError, ValueError) as error:
        raise PostersError(f"the condition {condition} cannot be answered: {error}") from error
    if not isinstance(value, bool):
        raise PostersError(f"the condition {condition} is neither true nor false, but {value!r}.")
    return value


class _Reader:
    """Recursive descent, one method a level of precedence; evaluates as it reads."""

    def __init__(self, text: str, inputs: Mapping[str, Any]) -> None:
        self._tokens = _tokens(text)
        self._place = 0
        self._inputs = inputs

    def whole(self) -> Any:
        value = self._either()
        if self._place < len(self._tokens):
            raise ValueError(f"{self._peek()!r} was not expected")
        return value

    def _either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = _truth(value) or _truth(other)
        return value

    def _both(self) -> Any:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = _truth(value) and _truth(other)
        return value

    def _comparison(self) -> Any:
        value = self._sum()
        for sign, compare in _COMPARISONS.items():
            if self._take(sign):
                return _compared(compare, value, self._sum())
        return value

    def _sum(self) -> Any:
        value = self._negated()
        while self._take("+"):
            other = self._negated()
            _check_types(value, other)
            if not isinstance(value, str | float):
                raise TypeError(f"{value!r} cannot be added to")
            value = value + other
        return value

    def _negated(self) -> Any:
        if self._take("!"):
            return not _truth(self._negated())
        if self._take("-"):
            return -self._negated()
        return self._member()

    def _member(self) -> Any:
        value = self._literal()
        while True:
            if self._take("."):
                value = _field(value, self._next())
            elif self._take("["):
                value = _item(value, self._either())
                self._expect("]")
            else:
                return value

    def _literal(self) -> Any:
        token = self._next()
        if token == "(":
            value = self._either()
            self._expect(")")
            return value
        if token[0] in "'\"":
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token[0].isdigit():
            return float(token)
        if token in _WORDS:
            return _WORDS[token]
        if token == "inputs":
            return self._inputs
        raise ValueError(f"{token!r} is not known here")

    def _peek(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise ValueError("it ends too early")
        self._place += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._place += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"{sign} is missing")


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if not match:
            raise ValueError(f"{text[place:].strip()[0]!r} is not known here")
        tokens.append(match[0].strip())
        place = match.end()
    return tokens


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _check_types(left: Any, right: Any) -> None:
    if type(left) is not type(right):
        raise TypeError(f"{left!r} and {right!r} are of different types")


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    _check_types(left, right)
    return compare(left, right)


def _field(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise LookupError(f"there is no {name}")
    return value[name]


def _item(value: Any, index: Any) -> Any:
    if isinstance(value, Mapping):
        return _field(value, index)
    if not isinstance(value, list) or not isinstance(index, float) or not 0 <= index < len(value):
        raise LookupError(f"there is no item {index!r} among {len(value)}")
    return value[int(index)]
