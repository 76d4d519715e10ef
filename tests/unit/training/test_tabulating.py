"""Columns of all sorts as a table, and those that cannot be learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.datasets.models import ColumnType
from opsloop.training.errors import DataUnfit, PipelineInvalid
from opsloop.training.pipeline import parse
from opsloop.training.table import Table, column_of
from opsloop.training.tabulating import table_of


def table(columns: dict[str, list[Any]], **declared: Any) -> Table:
    spec = parse({"target": "y", "steps": ["gradient_boosting"], **declared}, "p")
    return table_of(spec, [column_of(name, values) for name, values in columns.items()])


LABELS = ["no", "yes"] * 20
NUMBERS = [float(each) for each in range(40)]


def test_numbers_become_a_matrix_of_floats_with_nan_for_missing() -> None:
    found = table({"a": [None, *NUMBERS[1:]], "b": [True, False] * 20, "y": LABELS})
    assert found.X.dtype == np.float64
    assert np.isnan(found.X[0, 0])
    assert found.X[:2, 1].tolist() == [1.0, 0.0]
    assert [feature.type for feature in found.features] == [ColumnType.NUMBER, ColumnType.BOOLEAN]
    assert (found.features[0].low, found.features[0].high, found.features[0].has_missing) == (1.0, 39.0, True)


def test_text_makes_a_matrix_of_objects_with_empty_text_for_missing() -> None:
    found = table({"a": NUMBERS, "b": ["red", None, "blue", "red"] * 10, "y": LABELS})
    assert found.X[1].tolist() == [1.0, ""]
    assert found.features[1].categories == ("blue", "red")
    assert found.features[1].has_missing


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (LABELS, "classification"),
        ([True, False] * 20, "classification"),
        ([0, 1, 2, 1] * 10, "classification"),
        ([number * 7 for number in range(40)], "regression"),
        (NUMBERS, "regression"),
    ],
)
def test_the_task_follows_from_the_target(values: list[Any], task: str) -> None:
    assert table({"a": NUMBERS[::-1], "y": values}).task == task


def test_booleans_are_told_as_false_and_true() -> None:
    found = table({"a": NUMBERS, "y": [False, True] * 20})
    assert found.classes == (False, True)
    assert found.y.dtype == np.bool_


def test_rows_without_a_target_are_left_out_and_it_is_said() -> None:
    found = table({"a": NUMBERS, "y": [None, None, *LABELS[2:]]})
    assert found.rows == 38
    assert "2 rows without a y are left out" in found.notes


def test_a_feature_that_says_the_target_is_warned_of() -> None:
    found = table({"a": NUMBERS, "answer": [each.upper() for each in LABELS], "y": LABELS})
    assert any(note.startswith("answer says the same as the target") for note in found.notes)
    assert not any(note.startswith("a says") for note in found.notes)
    twice = table({"a": [1.5 * each + 2 for each in NUMBERS], "b": [each**2 for each in NUMBERS], "y": NUMBERS})
    assert [note.split()[0] for note in twice.notes if "says the same" in note] == ["a"]


def test_constant_columns_are_warned_of_and_empty_ones_left_out() -> None:
    found = table({"a": NUMBERS, "one": [1.0] * 40, "none": [None] * 40, "y": LABELS})
    assert found.names == ("a", "one")
    assert "one has one value in all rows" in found.notes
    assert "none has no values and is left out" in found.notes


@pytest.mark.parametrize(
    ("columns", "declared", "sentence"),
    [
        ({"a": ["2026-01-31"] * 40, "y": LABELS}, {}, "column a: is '2026-01-31'; wanted no dates as text"),
        ({"a": ["31.1.2026 10:00"] * 40, "y": LABELS}, {}, "wanted no dates as text"),
        ({"a": [[1], [2]] * 20, "y": LABELS}, {}, "column a: is .*; wanted numbers, text or booleans in a preparation"),
        ({"a": [None] * 40, "y": LABELS}, {"features": ["a"]}, "p.features: column a: wanted values; it has none"),
        ({"a": [float("inf"), *NUMBERS[1:]], "y": LABELS}, {}, "column a: is inf; wanted finite numbers"),
        ({"a": NUMBERS, "y": ["no"] * 40}, {}, "p.target: column y: is 'no'; wanted at least two classes"),
        ({"a": NUMBERS, "y": ["no"] * 39 + ["yes"]}, {}, "is 'yes'; wanted at least two rows of every class"),
        ({"a": NUMBERS, "y": [1.5] * 40}, {}, "is 1.5; wanted numbers that differ"),
        ({"a": NUMBERS, "y": LABELS}, {"task": "regression"}, "is 'no'; wanted numbers, to be predicted by regression"),
        ({"a": NUMBERS, "y": [0.5, 1.5] * 20}, {"task": "classification"}, "wanted text, booleans or whole numbers"),
        ({"a": NUMBERS, "y": [None] * 40}, {}, "p.target: is 'y'; wanted a column with values; it has none"),
        (
            {"a": NUMBERS, "w": [-1.0] * 40, "y": LABELS},
            {"weight": "w"},
            "p.weight: is 'w'; wanted a column of numbers",
        ),
    ],
)
def test_what_cannot_be_learned_from_is_told_by_column(
    columns: dict[str, list[Any]], declared: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DataUnfit, match=sentence):
        table(columns, **declared)


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(PipelineInvalid, match=r"p.features\[0\]: is 'prise'; .*did you mean 'price'"):
        table({"price": NUMBERS, "y": LABELS}, features=["prise"])
