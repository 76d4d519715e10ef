"""The few expressions that the recipes use, evaluated: GitHub's `${{ … }}` and Azure's conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_GITHUB = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|==|!|[(),]|[\w.-]+(?:\['[^']+'\])*)")


def filled(text: str, context: Mapping[str, Any]) -> str:
    """A text of a workflow with its expressions replaced."""
    return _GITHUB.sub(lambda match: str(_operand(match[1], context)), text)


def holds(condition: str, context: Mapping[str, Any], *, failed: bool, cancelled: bool = False) -> bool:
    """A condition of a GitHub job or step; without a status function it implies that nothing failed before."""
    match = _GITHUB.fullmatch(condition.strip())
    inner = match[1] if match else condition
    parts = [part.strip() for part in inner.split("&&")]
    names_status = any("cancelled()" in part or "always()" in part or "failure()" in part for part in parts)
    return (names_status or not failed) and all(_part(part, context, cancelled, failed) for part in parts)


def _part(part: str, context: Mapping[str, Any], cancelled: bool, failed: bool) -> bool:
    if part == "failure()":
        return failed
    if part == "!cancelled()":
        return not cancelled
    left, operator, right = part.partition("==")
    assert operator, f"the tests cannot evaluate {part!r}"
    return str(_operand(left.strip(), context)) == str(_operand(right.strip(), context))


def _operand(text: str, context: Mapping[str, Any]) -> Any:
    if text.startswith("'"):
        return text[1:-1]
    found: Any = context
    for name in text.split("."):
        assert isinstance(found, Mapping), f"no {name} on the way to {text}"
        assert name in found or found is not context, f"no context {name!r} for {text}"
        found = found.get(name, "")
    return found


def azure(condition: str, value_of: Callable[[str], str], *, failed: bool) -> bool:
    """A condition of Azure Pipelines, made of functions; `value_of` says what a variable or dependency is."""
    tokens = _TOKEN.findall(condition)
    found = _azure(tokens, value_of, failed)
    assert not tokens, f"the tests cannot evaluate the rest of {condition!r}: {tokens}"
    return found == "True"


def _azure(tokens: list[str], value_of: Callable[[str], str], failed: bool) -> str:
    token = tokens.pop(0)
    if token.startswith("'"):
        return token[1:-1]
    if not tokens or tokens[0] != "(":
        return value_of(token)
    tokens.pop(0)
    given: list[str] = []
    while tokens[0] != ")":
        if tokens[0] == ",":
            tokens.pop(0)
        given.append(_azure(tokens, value_of, failed))
    tokens.pop(0)
    functions: dict[str, Callable[[], bool]] = {
        "succeeded": lambda: not failed,
        "succeededOrFailed": lambda: True,
        "and": lambda: all(each == "True" for each in given),
        "eq": lambda: given[0] == given[1],
        "ne": lambda: given[0] != given[1],
        "in": lambda: given[0] in given[1:],
    }
    return str(functions[token]())
