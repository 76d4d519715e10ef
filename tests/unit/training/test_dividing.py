"""Rows to learn from and rows to measure by are kept apart as the pipeline says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.training.dividing import Fold, folds, held_out
from opsloop.training.errors import DataUnfit
from opsloop.training.pipeline import PipelineSpec, parse
from opsloop.training.table import Table, column_of
from opsloop.training.tabulating import table_of

ROWS = 60
CUSTOMERS = [f"c{number % 12}" for number in range(ROWS)]
DAYS = [f"2026-{1 + (number * 7) % 12:02d}-01" for number in range(ROWS)]


def made(**declared: Any) -> tuple[PipelineSpec, Table]:
    spec = parse({"target": "y", "features": ["a"], "steps": ["knn"], **declared}, "p")
    values: dict[str, list[Any]] = {
        "a": [float(number) for number in range(ROWS)],
        "y": ["rare" if number % 6 == 0 else "often" for number in range(ROWS)],
        "customer": CUSTOMERS,
        "day": DAYS,
    }
    return spec, table_of(spec, [column_of(name, each) for name, each in values.items()])


def parts(spec: PipelineSpec, table: Table) -> list[Fold]:
    assert spec.cross_validation is not None
    division = spec.cross_validation.division
    return folds(table, np.arange(ROWS), spec.cross_validation.folds, division, seed=0, field="p.folds")


def test_every_row_is_either_learned_from_or_held_out_with_each_class_by_its_share() -> None:
    spec, table = made(holdout=0.3)
    found = held_out(spec, table)
    assert sorted([*found.learn, *found.measure]) == list(range(ROWS))
    assert sorted(table.y[found.measure]) == ["often"] * 15 + ["rare"] * 3


def test_rows_of_one_customer_stay_together() -> None:
    spec, table = made(holdout={"share": 0.25, "by": "customer"}, cross_validation={"folds": 4})
    for fold in [held_out(spec, table), *parts(spec, table)]:
        learned, measured = ({CUSTOMERS[row] for row in rows} for rows in (fold.learn, fold.measure))
        assert not learned & measured
        assert measured


def test_in_the_order_of_time_only_later_rows_measure() -> None:
    spec, table = made(holdout={"share": 0.25, "time_ordered": "day"}, cross_validation={"folds": 3})
    for fold in [held_out(spec, table), *parts(spec, table)]:
        assert max(DAYS[row] for row in fold.learn) <= min(DAYS[row] for row in fold.measure)


def test_as_they_stand_the_last_rows_are_held_out() -> None:
    spec, table = made(holdout={"share": 0.1, "time_ordered": True})
    assert held_out(spec, table).measure.tolist() == list(range(54, 60))


def test_folds_measure_every_row_once() -> None:
    measured = np.concatenate([fold.measure for fold in parts(*made(cross_validation={"folds": 7}))])
    assert sorted(measured) == list(range(ROWS))


def test_more_folds_than_groups_are_refused() -> None:
    spec, table = made(cross_validation={"folds": 13, "by": "customer"})
    with pytest.raises(DataUnfit, match=r"p\.folds: is 13; wanted at most 12, the different values of customer"):
        parts(spec, table)


def test_more_folds_than_rows_of_any_class_are_refused() -> None:
    spec, table = made(cross_validation={"folds": 55})
    with pytest.raises(DataUnfit, match=r"p\.folds: is 55; wanted at most 50, the rows of the most frequent class"):
        parts(spec, table)


def test_a_share_that_leaves_a_class_out_is_refused() -> None:
    spec = parse({"target": "y", "steps": ["knn"], "holdout": {"share": 0.5, "time_ordered": True}}, "p")
    columns = [column_of("a", [float(n) for n in range(40)]), column_of("y", ["old"] * 20 + ["new"] * 20)]
    with pytest.raises(DataUnfit, match="every class among the rows to learn from; class 'new' is not"):
        held_out(spec, table_of(spec, columns))
