"""Evaluators of installed packages, by the entry point group `opsloop.evaluators`.

An entry point is a function, a class with `__call__` (made with the use's `init`), an object that can be called, or an
`Evaluator` of this project. Nothing of a package is imported before an experiment names its evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.brought.functions import brought, made, taken
from opsloop.evaluation.evaluators.registry import Evaluator
from opsloop.evaluation.models import ExperimentEvaluator

GROUP = "opsloop.evaluators"


def names() -> list[str]:
    return sorted({each.name for each in entry_points(group=GROUP)})


def find(use: ExperimentEvaluator, *, field: str) -> Evaluator | None:
    """None when no package has one of that name. Raises: ExperimentInvalid when it cannot be used."""
    found = list(entry_points(group=GROUP, name=use.name))
    if not found:
        return None
    if len({each.value for each in found}) > 1:
        packages = ", ".join(sorted(each.dist.name for each in found if each.dist is not None))
        raise ExperimentInvalid(f"{field}.name", f"a name that one package has, not {packages}", value=use.name)
    target = _loaded(found[0], field, use.name)
    if isinstance(target, Evaluator):
        return target
    if not callable(target):
        wanted = f"an evaluator that can be called; {found[0].value} is a {type(target).__name__}"
        raise ExperimentInvalid(f"{field}.name", wanted, value=use.name)
    called: Callable[..., object] = target
    return brought(use, taken(called, f"{field}.name", use.name), lambda: made(called, use.init))


def _loaded(point: EntryPoint, field: str, name: str) -> object:
    try:
        loaded: object = point.load()
    except Exception as error:
        wanted = f"an evaluator that can be loaded; {point.value} raised {type(error).__name__}: {error}"
        raise ExperimentInvalid(f"{field}.name", wanted, value=name) from error
    return loaded
