"""Which evaluator a use in an experiment names: a function, one that Opsloop has, or an installed package's."""

from __future__ import annotations

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.brought import functions, installed
from opsloop.evaluation.evaluators.judging import evaluator as judge
from opsloop.evaluation.evaluators.registry import Evaluator
from opsloop.evaluation.models import ExperimentEvaluator


def evaluator_of(use: ExperimentEvaluator, *, field: str) -> Evaluator:
    """Args:
        field: where the use is declared, for the errors.
    Raises: ExperimentInvalid naming the nearest known evaluator.
    """
    if use.function is not None:
        return functions.evaluator_of(use, field=field)
    if use.source is not None:
        raise ExperimentInvalid(f"{field}.source", "a function beside it, such as `function: file.py:name`")
    if use.name == judge.NAME:
        return judge.evaluator_of(use, field=field)
    if use.name in registry.known():
        return registry.find(use.name, field=f"{field}.name")
    found = installed.find(use, field=field)
    if found is None:
        names = [judge.NAME, *registry.known(), *installed.names()]
        raise ExperimentInvalid(f"{field}.name", f"one of {', '.join(names)}", known=names, value=use.name)
    return found
