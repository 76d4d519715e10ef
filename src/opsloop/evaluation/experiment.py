"""`experiment.yaml` in the shape of Microsoft's genaiops-promptflow-template, and our own fields beside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from opsloop.core.declared import Declared
from opsloop.evaluation import budget as budgets
from opsloop.evaluation import declared_target, declared_variants
from opsloop.evaluation.declared import declared
from opsloop.evaluation.declared_connections import connection, environment_variables
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.gate_declaration import parse_gate
from opsloop.evaluation.models import Experiment, ExperimentDataset, ExperimentEvaluator

_EXPERIMENT = (
    *("name", "flow", "connections", "datasets", "evaluators", "runtime", "environment_variables", "init"),
    *("repeats", "seed", "gate", "budget", "variants", "target"),
)
_DATASET = ("name", "source", "description", "mappings")
_EVALUATOR = (
    *("name", "metric", "flow", "datasets", "mappings", "options", "init", "higher_is_better", "worst"),
    *("function", "source"),
)
_EVALUATOR_DATASET = ("name", "source", "reference", "description", "mappings")
_TARGET = re.compile(r"^\s*\$\{\s*target\.(?:outputs\.)?")
_AZURE_ML = re.compile(r"azureml:(?P<name>[^:]+):(?P<version>[^:]+)")
REPEATS_LIMIT = 100


def parse(values: object) -> Experiment:
    """The experiment that a mapping declares.

    Raises: ExperimentInvalid naming the key path, the value, the wanted form and the nearest known key.
    """
    top = declared(values, "", _EXPERIMENT)
    datasets = tuple(_dataset(each, f"datasets[{place}]") for place, each in enumerate(top.listing("datasets")))
    if not datasets:
        raise top.wrong("datasets", "a list with at least one dataset")
    evaluators = tuple(
        use
        for place, each in enumerate(top.listing("evaluators"))
        for use in _evaluators(each, f"evaluators[{place}]", [dataset.name for dataset in datasets])
    )
    _check_unique("datasets", [each.ref for each in datasets])
    _check_unique("evaluators", [each.metric for each in evaluators])
    return Experiment(
        name=top.text("name"),
        datasets=datasets,
        evaluators=evaluators,
        flow=top.optional_text("flow"),
        repeats=top.whole("repeats", 1, least=1, most=REPEATS_LIMIT),
        seed=top.whole("seed", 0, least=0, most=2**32 - 1),
        gate=parse_gate(top.values["gate"]) if "gate" in top.values else None,
        connections=dict(
            connection(each, f"connections[{place}]") for place, each in enumerate(top.listing("connections"))
        ),
        environment_variables=environment_variables(top.mapping("environment_variables"), "environment_variables"),
        init=top.mapping("init") if "init" in top.values else None,
        budget=budgets.parse(top.values["budget"], "budget") if "budget" in top.values else None,
        variants=declared_variants.parse(top.values["variants"], "variants") if "variants" in top.values else None,
        target=declared_target.parse(top.values["target"], "target") if "target" in top.values else None,
    )


def _dataset(values: object, path: str) -> ExperimentDataset:
    found = declared(values, path, _DATASET)
    return _stored(found, found.mapping("mappings"))


def _stored(found: Declared, mappings: Mapping[str, Any]) -> ExperimentDataset:
    source = found.optional_text("source")
    registered = _AZURE_ML.fullmatch(source or "")
    version = f"{registered['name']}@{registered['version']}" if registered else None
    name = found.text("name", version)
    return ExperimentDataset(name, source, str(found.values.get("description", "")), mappings, version)


def _evaluators(values: object, path: str, datasets: list[str]) -> Iterator[ExperimentEvaluator]:
    """The evaluator that a mapping declares; one more for each time that it is for a dataset once more."""
    found = declared(values, path, _EVALUATOR)
    name = found.text("name")
    one = ExperimentEvaluator(
        name=name,
        metric=found.text("metric", name),
        mappings=_as_outputs(found.mapping("mappings")),
        options=found.mapping("options"),
        flow=_version(found.optional_text("flow")),
        init=found.mapping("init") if "init" in found.values else None,
        higher_is_better=found.flag("higher_is_better", True),
        worst=found.number("worst"),
        function=found.optional_text("function"),
        source=found.optional_text("source"),
    )
    uses = [one]
    for place, each in enumerate(found.listing("datasets")):
        reference, used = _evaluator_dataset(each, f"{path}.datasets[{place}]", datasets)
        at = next((at for at, use in enumerate(uses) if reference not in use.datasets), None)
        if at is None:
            uses.append(replace(one, metric=f"{one.metric}.{used.name}"))
            at = len(uses) - 1
        joined = {reference: used} if used.name != reference else {}
        uses[at] = replace(
            uses[at],
            datasets={**uses[at].datasets, reference: used.mappings},
            joined={**uses[at].joined, **joined},
        )
    yield from uses


def _version(flow: str | None) -> str | None:
    """What an evaluation flow is registered as: of a path the last part."""
    return flow if flow is None else PurePosixPath(flow.replace("\\", "/")).name


def _evaluator_dataset(values: object, path: str, datasets: list[str]) -> tuple[str, ExperimentDataset]:
    """The dataset of the experiment that an evaluator is for, and the one whose rows it reads."""
    found = declared(values, path, _EVALUATOR_DATASET)
    key = "reference" if "reference" in found.values else "name"
    reference = found.text(key)
    if reference not in datasets:
        raise found.wrong(key, f"a dataset of this experiment ({', '.join(datasets)})", known=datasets)
    mappings = _as_outputs(found.mapping("mappings"))
    if "source" not in found.values:
        return reference, ExperimentDataset(reference, mappings=mappings)
    return reference, _stored(found, mappings)


def _as_outputs(mappings: Mapping[str, Any]) -> dict[str, Any]:
    """`${target.answer}`, as evaluators outside of Prompt flow write it, is `${run.outputs.answer}`."""
    return {
        name: _TARGET.sub("${run.outputs.", value) if isinstance(value, str) else value
        for name, value in mappings.items()
    }


def _check_unique(path: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            raise ExperimentInvalid(f"{path}[{place}]", "a name that is not there twice", value=name)
        seen.add(name)
