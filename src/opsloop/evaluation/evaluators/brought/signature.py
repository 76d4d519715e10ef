"""What a callable takes by name, and where each of it comes from when the experiment maps nothing."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from opsloop.evaluation.evaluators.registry import Input
from opsloop.evaluation.evaluators.usual import usual_of

_PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call takes by name; `takes_any` when it takes other names too."""

    inputs: tuple[Input, ...]
    takes_any: bool = False


def taken_by(target: Callable[..., Any]) -> Taken:
    """By a function, or by the call of a class or an object. Where that has overloads, what these take.

    Raises: TypeError, ValueError when it does not take its arguments by name.
    """
    call = target
    if inspect.isclass(target):
        if not any("__call__" in vars(each) for each in target.__mro__):
            raise TypeError("objects of this class cannot be called")
        call = target.__call__
    elif not inspect.isroutine(target):
        call = type(target).__call__
    overloads = typing.get_overloads(call)
    parameters = [each for one in overloads or [call] for each in inspect.signature(one).parameters.values()]
    named: dict[str, bool] = {}
    for each in parameters:
        if each.kind is inspect.Parameter.POSITIONAL_ONLY and each.name != "self":
            raise TypeError(f"{each.name} has no name that a caller can use")
        if each.kind in _PLAIN and each.name != "self":
            is_needed = each.default is inspect.Parameter.empty and not overloads
            named[each.name] = named.get(each.name, True) and is_needed
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    return Taken(_inputs(named.items()), takes_any)


def taken_in(source: ast.Module, name: str) -> Taken | None:
    """By a function or class at the top of a module that is read and not run; None when it is not there."""
    found = next((each for each in reversed(source.body) if _is_named(each, name)), None)
    if isinstance(found, ast.ClassDef):
        found = next((each for each in reversed(found.body) if _is_named(each, "__call__")), None)
    if not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    given = found.args
    plain = [*given.posonlyargs, *given.args]
    needed = {each.arg: place < len(plain) - len(given.defaults) for place, each in enumerate(plain)}
    needed |= {each.arg: value is None for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    needed.pop("self", None)
    return Taken(_inputs(needed.items()), given.kwarg is not None)


def _is_named(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name


def _inputs(named: Iterable[tuple[str, bool]]) -> tuple[Input, ...]:
    return tuple(Input(name, usual_of(name), required=is_needed) for name, is_needed in named)
