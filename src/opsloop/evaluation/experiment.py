"""`experiment.yaml` in the shape of Microsoft's genaiops-promptflow-template, and our fields repeats, seed and gate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.declared import Declared
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import Experiment, ExperimentDataset, ExperimentEvaluator, GateSpec
from opsloop.evaluation.verdicts import Rule

_EXPERIMENT = ("name", "flow", "connections", "datasets", "evaluators", "runtime", "repeats", "seed", "gate")
_DATASET = ("name", "source", "description", "mappings")
_EVALUATOR = ("name", "metric", "flow", "datasets", "mappings", "options")
_EVALUATOR_DATASET = ("name", "source", "reference", "description", "mappings")
_GATE = ("alpha", "baseline", "cluster_by", "rules")
_RULE = ("metric", "at_least", "at_most", "margin", "non_inferior_margin", "higher_is_better")
_AZURE_ML = re.compile(r"azureml:(?P<name>[^:]+):(?P<version>[^:]+)")
REPEATS_LIMIT = 100


def parse(values: object) -> Experiment:
    """The experiment that a mapping declares.

    Raises: ExperimentInvalid naming the key path, the value, the wanted form and the nearest known key.
    """
    top = Declared(values, "", _EXPERIMENT)
    datasets = tuple(_dataset(each, f"datasets[{place}]") for place, each in enumerate(top.listing("datasets")))
    if not datasets:
        raise top.wrong("datasets", "a list with at least one dataset")
    evaluators = tuple(
        _evaluator(each, f"evaluators[{place}]", [dataset.name for dataset in datasets])
        for place, each in enumerate(top.listing("evaluators"))
    )
    _check_unique("datasets", [each.name for each in datasets])
    _check_unique("evaluators", [each.metric for each in evaluators])
    return Experiment(
        name=top.text("name"),
        datasets=datasets,
        evaluators=evaluators,
        flow=top.optional_text("flow"),
        repeats=top.whole("repeats", 1, least=1, most=REPEATS_LIMIT),
        seed=top.whole("seed", 0, least=0, most=2**32 - 1),
        gate=_gate(top.values["gate"]) if "gate" in top.values else None,
    )


def _dataset(values: object, path: str) -> ExperimentDataset:
    found = Declared(values, path, _DATASET)
    source = found.optional_text("source")
    registered = _AZURE_ML.fullmatch(source or "")
    name = f"{registered['name']}@{registered['version']}" if registered else found.text("name")
    return ExperimentDataset(name, source, str(found.values.get("description", "")), found.mapping("mappings"))


def _evaluator(values: object, path: str, datasets: list[str]) -> ExperimentEvaluator:
    found = Declared(values, path, _EVALUATOR)
    name = found.text("name")
    return ExperimentEvaluator(
        name=name,
        metric=found.text("metric", name),
        mappings=found.mapping("mappings"),
        options=found.mapping("options"),
        datasets=dict(
            _evaluator_dataset(each, f"{path}.datasets[{place}]", datasets)
            for place, each in enumerate(found.listing("datasets"))
        ),
    )


def _evaluator_dataset(values: object, path: str, datasets: list[str]) -> tuple[str, Mapping[str, Any]]:
    found = Declared(values, path, _EVALUATOR_DATASET)
    key = "reference" if "reference" in found.values else "name"
    name = found.text(key)
    if name not in datasets:
        raise found.wrong(key, f"a dataset of this experiment ({', '.join(datasets)})", known=datasets)
    return name, found.mapping("mappings")


def _gate(values: object) -> GateSpec:
    found = Declared(values, "gate", _GATE)
    rules = tuple(_rule(each, f"gate.rules[{place}]") for place, each in enumerate(found.listing("rules")))
    if not rules:
        raise found.wrong("rules", "a list with at least one rule")
    alpha = found.number("alpha")
    if alpha is not None and not 0.0 < alpha < 0.5:
        raise found.wrong("alpha", "a number above 0 and below 0.5")
    return GateSpec(
        rules=rules,
        alpha=0.05 if alpha is None else alpha,
        baseline=found.text("baseline", "stable"),
        cluster_by=found.optional_text("cluster_by"),
    )


def _rule(values: object, path: str) -> Rule:
    found = Declared(values, path, _RULE)
    better = found.values.get("higher_is_better", True)
    if not isinstance(better, bool):
        raise found.wrong("higher_is_better", "true or false")
    margins = [key for key in ("margin", "non_inferior_margin") if key in found.values]
    if len(margins) > 1:
        raise found.wrong("margin", "margin or non_inferior_margin, which mean the same, and not both")
    try:
        return Rule(
            metric=found.text("metric"),
            at_least=found.number("at_least"),
            at_most=found.number("at_most"),
            margin=found.number(margins[0]) if margins else None,
            higher_is_better=better,
        )
    except ExperimentInvalid:
        raise
    except InvalidInput as error:
        raise ExperimentInvalid(path, error.facts["wanted"], value=dict(found.values)) from None


def _check_unique(path: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            raise ExperimentInvalid(f"{path}[{place}]", "a name that is not there twice", value=name)
        seen.add(name)
