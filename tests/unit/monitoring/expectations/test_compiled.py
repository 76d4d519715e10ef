from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.datasets.expectations import declared
from opsloop.datasets.expectations.kinds.registry import known
from opsloop.monitoring.expectations.compiled import Compiled, compiled
from opsloop.monitoring.expectations.reading import read

NUMBERS = {"length": "number", "width": "number", "petals": "integer"}
MIXED = {"length": "number", "colour": "text"}
NAN = float("nan")


def rules(*expected: dict[str, Any], inputs: dict[str, str] = NUMBERS) -> Compiled:
    return compiled(declared.parse(list(expected)), inputs)


def numbers(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=float)


def mixed(*rows: list[Any]) -> np.ndarray:
    return np.array(rows, dtype=object)


FINE = [5.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("expected", "breaking"),
    [
        ({"expect": "between", "column": "length", "min": 4, "max": 8}, [[8.1, 3, 4]]),
        ({"expect": "between", "column": "length", "min": 4}, [[3.9, 3, 4]]),
        ({"expect": "between", "column": "length", "min": 4, "max": 5.5, "strict_max": True}, [[5.5, 3, 4]]),
        ({"expect": "between", "column": "length", "min": 4, "mostly": 0.6}, [[1, 3, 4], [1, 3, 4], [5, 3, 4]]),
        ({"expect": "not_null", "column": "width"}, [[5, NAN, 4]]),
        ({"expect": "in_set", "column": "petals", "values": [3, 4, 5]}, [[5, 3, 6]]),
        ({"expect": "not_in_set", "column": "petals", "values": [0]}, [[5, 3, 0]]),
        ({"expect": "type", "column": "width", "types": ["integer"]}, [[5, 3.5, 4]]),
        ({"expect": "pair", "low": "width", "high": "length"}, [[3, 5, 4]]),
        ({"expect": "pair", "low": "width", "high": "length", "nulls": "never"}, [[3, NAN, 4]]),
        ({"expect": "unique", "column": "length"}, [[5, 3, 4], [5, 2, 4]]),
        ({"expect": "unique", "columns": ["length", "width"]}, [[5, 3, 4], [5, 3, 3]]),
        ({"expect": "mean_between", "column": "length", "min": 4, "max": 6}, [[9, 3, 4], [8, 3, 4]]),
        ({"expect": "median_between", "column": "length", "max": 6}, [[9, 3, 4], [8, 3, 4], [1, 3, 4]]),
        ({"expect": "stdev_between", "column": "length", "max": 0.5}, [[9, 3, 4], [1, 3, 4]]),
        ({"expect": "sum_between", "column": "petals", "max": 7}, [[5, 3, 4], [5, 3, 4]]),
        ({"expect": "unique_value_count_between", "column": "petals", "max": 1}, [[5, 3, 4], [5, 3, 3]]),
        ({"expect": "proportion_of_unique_values_between", "column": "length", "min": 1}, [[5, 3, 4], [5, 3, 3]]),
        ({"expect": "quantiles_between", "column": "length", "quantiles": [0.5], "ranges": [[4, 6]]}, [[7, 3, 4]]),
    ],
    ids=lambda value: value["expect"] if isinstance(value, dict) else None,
)
def test_rows_that_break_an_expectation_of_numbers_are_found(expected: dict[str, Any], breaking: list[Any]) -> None:
    checked = rules(expected)
    assert checked.unchecked == ()
    assert len(checked.broken(numbers(*breaking))) == 1
    assert checked.broken(numbers(FINE)) == ()


@pytest.mark.parametrize(
    ("expected", "breaking"),
    [
        ({"expect": "in_set", "column": "colour", "values": ["blue", "red"]}, [[5.0, "green"]]),
        ({"expect": "between", "column": "length", "min": 4, "max": 8}, [[9.0, "blue"]]),
        ({"expect": "between", "column": "colour", "min": "a", "max": "c"}, [[5.0, "d"]]),
        ({"expect": "length_between", "column": "colour", "max": 4}, [[5.0, "green"]]),
        ({"expect": "regex", "column": "colour", "pattern": "^b"}, [[5.0, "red"]]),
        ({"expect": "not_regex", "column": "colour", "pattern": "^r"}, [[5.0, "red"]]),
        ({"expect": "not_null", "column": "colour"}, [[5.0, None]]),
        ({"expect": "not_null", "column": "length"}, [[NAN, "blue"]]),
        ({"expect": "mean_between", "column": "length", "max": 6}, [[9.0, "blue"]]),
    ],
    ids=lambda value: value["expect"] if isinstance(value, dict) else None,
)
def test_rows_that_break_an_expectation_of_mixed_columns_are_found(
    expected: dict[str, Any], breaking: list[Any]
) -> None:
    checked = rules(expected, inputs=MIXED)
    assert len(checked.broken(mixed(*breaking))) == 1
    assert checked.broken(mixed([5.0, "blue"])) == ()


def test_a_missing_value_breaks_only_the_expectation_that_there_is_one() -> None:
    checked = rules(
        {"expect": "between", "column": "length", "min": 4},
        {"expect": "in_set", "column": "petals", "values": [4]},
        {"expect": "mean_between", "column": "width", "min": 4},
    )
    assert checked.broken(numbers([NAN, NAN, NAN])) == ()


def test_each_broken_expectation_is_named_once_with_its_options() -> None:
    checked = rules(
        {"expect": "between", "column": "length", "min": 4, "max": 8},
        {"expect": "between", "column": "width", "min": 2},
        {"expect": "not_null", "column": "petals"},
    )
    assert checked.broken(numbers([9, 1, 4], [10, 1, 4])) == (
        "between length (min 4, max 8)",
        "between width (min 2)",
    )


def test_two_ranges_of_one_input_are_told_apart() -> None:
    checked = rules(
        {"expect": "between", "column": "length", "min": 0}, {"expect": "between", "column": "length", "min": 4}
    )
    assert checked.broken(numbers([3, 3, 4])) == ("between length (min 4)",)


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({"expect": "row_count", "min": 10}, "a request has as many rows as it likes"),
        ({"expect": "between", "column": "price", "min": 0}, "the model has no input price"),
        ({"expect": "columns_at_least", "columns": ["price"]}, "the model has no input price"),
        ({"expect": "regex", "column": "length", "pattern": "^b"}, "length is number"),
        ({"expect": "length_between", "column": "length", "max": 4}, "length is number"),
        ({"expect": "mean_between", "column": "colour", "max": 4}, "colour is text"),
        ({"expect": "type", "column": "colour", "types": ["number"]}, "colour is text"),
        ({"expect": "regex", "column": "colour", "pattern": "("}, "the pattern cannot be used"),
    ],
)
def test_what_no_request_can_be_checked_for_is_named_with_its_reason(expected: dict[str, Any], reason: str) -> None:
    (found,) = rules(expected, inputs=MIXED).unchecked
    assert found.reason.startswith(reason)


def test_what_the_signature_keeps_needs_no_check() -> None:
    checked = rules(
        {"expect": "columns_exactly", "columns": ["length", "width", "petals"]},
        {"expect": "type", "column": "petals", "types": ["integer"]},
        {"expect": "type", "column": "petals", "types": ["number"]},
    )
    assert checked.unchecked == ()
    assert not checked.broken(numbers(FINE))


@pytest.mark.parametrize("kind", sorted(set(known()) - {"row_count", "columns_exactly", "columns_at_least"}))
def test_every_kind_that_a_dataset_knows_is_known_here(kind: str) -> None:
    assert kind in _kinds()


def _kinds() -> frozenset[str]:
    from opsloop.monitoring.expectations import compiled as module

    return module._KINDS


def test_a_suite_of_great_expectations_is_read_and_what_is_not_known_is_named() -> None:
    found = read(
        {
            "expectation_suite_name": "iris",
            "expectations": [
                {
                    "expectation_type": "expect_column_values_to_be_between",
                    "kwargs": {"column": "length", "min_value": 4, "max_value": 8},
                },
                {"expectation_type": "expect_column_kl_divergence_to_be_less_than", "kwargs": {"column": "length"}},
            ],
        }
    )
    assert [str(each) for each in found.expectations] == ["between length (min 4, max 8)"]
    assert found.skipped == ("expect_column_kl_divergence_to_be_less_than at expectations[1]",)


@pytest.mark.parametrize("document", [None, [], {}])
def test_a_bundle_without_expectations_has_none(document: object) -> None:
    assert read(document).expectations == ()


def test_our_own_form_is_a_list_or_a_mapping_with_one() -> None:
    rule = {"expect": "not_null", "column": "length"}
    assert read([rule]).expectations == read({"expectations": [rule]}).expectations
