"""What a pipeline may be declared as, and how a wrong one is told."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from opsloop.training.errors import PipelineInvalid
from opsloop.training.pipeline import Division, parse

RIDGE: dict[str, Any] = {"target": "y", "steps": ["ridge"]}


def test_a_pipeline_is_a_target_and_steps() -> None:
    spec = parse({"dataset": "houses", "target": "price", "steps": ["scale", {"ridge": {"alpha": 2}}]}, "pipelines.p")
    assert [step.name for step in spec.steps] == ["scale", "ridge"]
    assert spec.steps[1].options == {"alpha": 2}
    assert spec.holdout.share == 0.2
    assert spec.cross_validation is not None
    assert spec.cross_validation.folds == 5


def test_groups_of_one_division_hold_for_the_other() -> None:
    spec = parse({**RIDGE, "cross_validation": {"folds": 3, "by": "customer"}})
    assert spec.holdout.division == Division(by="customer")
    spec = parse({**RIDGE, "holdout": {"share": 0.3, "time_ordered": "day"}})
    assert spec.cross_validation is not None
    assert spec.cross_validation.division == Division(time_ordered=True, time_column="day")


def test_columns_with_another_part_are_no_features() -> None:
    spec = parse({**RIDGE, "weight": "w", "holdout": {"by": "customer"}, "cross_validation": {"time_ordered": "day"}})
    assert spec.apart == ("y", "w", "customer", "day")


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"steps": ["ridge"]}, "p.target: wanted text; it is missing"),
        ({"target": "y"}, "p.steps: wanted a list of steps that ends in an estimator"),
        ({**RIDGE, "folds": 3}, "p.folds: is 'folds'; wanted one of dataset, target"),
        ({**RIDGE, "task": "clustering"}, "p.task: is 'clustering'; wanted one of classification, regression"),
        ({"target": "y", "steps": ["rigde"]}, "did you mean 'ridge'?"),
        ({"target": "y", "steps": ["ridge", "scale"]}, r"p.steps\[0\].ridge: is 'ridge'; wanted a step that prepares"),
        ({"target": "y", "steps": ["scale"]}, r"p.steps\[0\].scale: is 'scale'; wanted an estimator as the last step"),
        ({"target": "y", "steps": [{"ridge": 3}]}, r"p.steps\[0\].ridge: is 3; wanted a mapping of options"),
        ({"target": "y", "steps": [["ridge"]]}, r"p.steps\[0\]: is \['ridge'\]; wanted a name such as scale"),
        ({"target": "y", "steps": ["os.system"]}, r"p.steps\[0\]: is 'os.system'; wanted one of"),
        ({**RIDGE, "task": "classification"}, r"p.steps\[0\].ridge: is 'ridge'; wanted an estimator for class"),
        ({**RIDGE, "features": ["a", "y"]}, "p.features: is .*; wanted columns other than the target 'y'"),
        ({**RIDGE, "features": ["a", "a"]}, r"p.features\[1\]: is 'a'; wanted names that differ"),
        ({**RIDGE, "build": "model.py:build"}, "p.steps: is .*; wanted either steps or build, and not both"),
        ({**RIDGE, "parameters": {"a": 1}}, "p.parameters: is .*; wanted nothing"),
        ({"target": "y", "build": "model.py"}, "p.build: is 'model.py'; wanted a Python function as file.py:name"),
        ({"target": "y", "build": "../m.py:f"}, "p.build: is .*; wanted a Python function as file.py:name, a path"),
        ({**RIDGE, "holdout": {"share": 2}}, "p.holdout.share: is 2; wanted a share of the rows, from 0 to 0.9"),
        ({**RIDGE, "holdout": {"by": "a", "time_ordered": True}}, "wanted either by or time_ordered, and not both"),
        ({**RIDGE, "cross_validation": {"folds": 1}}, "p.cross_validation.folds: is 1; wanted a whole number from 2"),
        ({**RIDGE, "cross_validation": False, "holdout": False}, "something has to measure the model"),
        ({**RIDGE, "intervals": {"alpha": 90}}, "p.intervals.alpha: is 90; wanted the share of intervals that may be"),
        ({**RIDGE, "task": "regression", "intervals": {"method": "lac"}}, "wanted one of absolute, normalised"),
        ({**RIDGE, "seed": "today"}, "p.seed: is 'today'; wanted a whole number"),
        ({**RIDGE, "compute": "spark"}, "p.compute: is 'spark'; wanted one of local, ray"),
        ({**RIDGE, "search": {}}, "p.search.over: wanted at least one parameter such as"),
        ({**RIDGE, "search": {"over": {"ridge.alpha": {"low": 1}}}}, "p.search.over.ridge.alpha.high: wanted a number"),
        (
            {**RIDGE, "search": {"method": "grid", "over": {"ridge.alpha": {"low": 1, "high": 2}}}},
            "p.search.over.ridge.alpha: is .*; wanted a list of values; a range is for method random or halving",
        ),
        (
            {**RIDGE, "search": {"over": {"ridge.alpha": {"low": 0, "high": 2, "log": True}}}},
            "p.search.over.ridge.alpha.low: is 0; wanted a number above 0, as log is true",
        ),
    ],
)
def test_a_wrong_pipeline_is_told_by_field_value_and_wanted_form(declared: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PipelineInvalid, match=sentence):
        parse(declared, "p")


def test_reading_a_pipeline_loads_neither_numpy_nor_scikit_learn() -> None:
    code = (
        "import sys; from opsloop.training.pipeline import parse; parse({'target': 'y', 'steps': ['ridge']}); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'sklearn', 'duckdb')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
