"""A user's own function: `module:name` of something installed, or `file.py:name` beside the experiment.

The file goes with the experiment as its text, so that a run keeps what it was measured by. It is one file: what needs
neighbours is a package, installed where the platform runs.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.asking import Ask
from opsloop.evaluation.evaluators.brought.calling import asking
from opsloop.evaluation.evaluators.brought.signature import Taken, taken_by, taken_in
from opsloop.evaluation.evaluators.registry import Evaluator, Input, Score
from opsloop.evaluation.models import ExperimentEvaluator
from opsloop.flows.user_code import UserModules, install_finder

FUNCTION = re.compile(r"(?P<place>[\w./\\-]+):(?P<name>[A-Za-z_]\w*)")
SOURCE_LIMIT_CHARS = 200_000
_FORM = "module:name of something installed, or file.py:name beside the experiment"


def evaluator_of(use: ExperimentEvaluator, *, field: str) -> Evaluator:
    """Raises: ExperimentInvalid when there is no such function."""
    assert use.function is not None
    found = FUNCTION.fullmatch(use.function)
    if found is None:
        raise ExperimentInvalid(f"{field}.function", _FORM, value=use.function)
    place, name = found["place"], found["name"]
    if use.source is not None:
        source = use.source
        found_in = _read(source, name, f"{field}.function", use.function)
        return brought(use, found_in, lambda: made(_loaded(source, name), use.init))
    if place.endswith(".py"):
        raise ExperimentInvalid(
            f"{field}.source",
            f"the text of {place}, which `opsloop eval run` reads beside the experiment; it is missing",
        )
    target = _imported(place, name, f"{field}.function", use.function)
    return brought(use, taken(target, f"{field}.function", use.function), lambda: made(target, use.init))


def taken(target: Callable[..., Any], field: str, value: str) -> Taken:
    """What a callable takes. Raises: ExperimentInvalid when it does not take its arguments by name."""
    try:
        return taken_by(target)
    except (TypeError, ValueError) as error:
        raise ExperimentInvalid(field, f"something that takes its arguments by name ({error})", value=value) from None


def brought(use: ExperimentEvaluator, takes: Taken, make: Callable[[], Callable[..., Any]]) -> Evaluator:
    """The evaluator that calls what `make` gives for each row."""
    mapped = {name for mappings in (use.mappings, *use.datasets.values()) for name in mappings}
    known = {each.name for each in takes.inputs}
    more = tuple(Input(name, ()) for name in sorted(mapped - known)) if takes.takes_any else ()
    ask = asking(make)

    def make_ask(_: Mapping[str, Any]) -> Ask:
        return ask

    return Evaluator(
        use.name,
        (*takes.inputs, *more),
        _never,
        higher_is_better=use.higher_is_better,
        worst=use.worst,
        make_ask=make_ask,
        outputs=None,
    )


def made(target: Callable[..., Any], init: Mapping[str, Any] | None) -> Callable[..., Any]:
    """What is called: a class is made with `init` first."""
    if not inspect.isclass(target):
        return target
    instance = target(**(init or {}))
    assert callable(instance)
    return instance


def _never(_: Mapping[str, Any]) -> Score:
    raise AssertionError("a function is asked, for all rows together")


def _read(source: str, name: str, field: str, value: str) -> Taken:
    if len(source) > SOURCE_LIMIT_CHARS:
        raise ExperimentInvalid(field, f"a file of at most {SOURCE_LIMIT_CHARS:,} characters", value=value)
    try:
        found = taken_in(ast.parse(source), name)
    except (SyntaxError, ValueError) as error:
        raise ExperimentInvalid(field, f"a file that is Python ({error})", value=value) from None
    if found is None:
        raise ExperimentInvalid(field, "a function, or a class with __call__, that this file defines", value=value)
    return found


@lru_cache(maxsize=64)
def _loaded(source: str, name: str) -> Callable[..., Any]:
    """Raises: whatever the user's file raises."""
    install_finder()
    with tempfile.TemporaryDirectory(prefix="opsloop-function-") as folder:
        (Path(folder) / "measure.py").write_text(source, "utf-8")
        target: Callable[..., Any] = getattr(UserModules(Path(folder)).load("measure.py"), name)
    return target


def _imported(module: str, name: str, field: str, value: str) -> Callable[..., Any]:
    try:
        target = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        wanted = f"{_FORM} (module {error.name!r} is not installed where the platform runs)"
        raise ExperimentInvalid(field, wanted, value=value) from None
    except Exception as error:
        wanted = f"{_FORM} that can be loaded ({type(error).__name__}: {error})"
        raise ExperimentInvalid(field, wanted, value=value) from error
    if not callable(target):
        raise ExperimentInvalid(field, "a function, or a class with __call__", value=value)
    called: Callable[..., Any] = target
    return called
