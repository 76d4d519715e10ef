"""Suites of Great Expectations, read and written."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.datasets.expectations import great_expectations
from opsloop.datasets.expectations.declared import parse
from opsloop.datasets.expectations.errors import ExpectationInvalid

DECLARED: list[dict[str, Any]] = [
    {"expect": "not_null", "column": "question", "mostly": 0.9, "meta": {"owner": "ada"}},
    {"expect": "unique", "column": "id"},
    {"expect": "unique", "columns": ["id", "lang"]},
    {"expect": "unique", "columns": ["id", "lang"], "nulls": "never"},
    {"expect": "type", "column": "score", "types": ["number", "integer"]},
    {"expect": "in_set", "column": "lang", "values": ["en", "de"], "mostly": 0.5},
    {"expect": "not_in_set", "column": "lang", "values": ["xx"]},
    {"expect": "between", "column": "score", "min": 0, "max": 1, "strict_max": True},
    {"expect": "length_between", "column": "question", "min": 3},
    {"expect": "regex", "column": "lang", "pattern": "^[a-z]{2}$"},
    {"expect": "not_regex", "column": "lang", "pattern": "[0-9]"},
    {"expect": "row_count", "min": 10, "max": 100},
    {"expect": "columns_exactly", "columns": ["id", "lang"], "in_order": True},
    {"expect": "columns_exactly", "columns": ["id", "lang"]},
    {"expect": "columns_at_least", "columns": ["id"]},
    {"expect": "mean_between", "column": "score", "min": 0.2},
    {"expect": "median_between", "column": "score", "max": 0.9},
    {"expect": "min_between", "column": "score", "min": 0},
    {"expect": "max_between", "column": "score", "max": 1},
    {"expect": "sum_between", "column": "score", "max": 100},
    {"expect": "stdev_between", "column": "score", "max": 1},
    {"expect": "unique_value_count_between", "column": "lang", "max": 5},
    {"expect": "proportion_of_unique_values_between", "column": "id", "min": 0.9},
    {"expect": "quantiles_between", "column": "score", "quantiles": [0.05, 0.5], "ranges": [[0, 0.1], [None, 0.8]]},
    {"expect": "pair", "low": "start", "high": "end"},
    {"expect": "pair", "low": "start", "high": "end", "strict": True, "nulls": "either"},
]


def test_what_is_written_is_read_back_the_same() -> None:
    expectations = parse(DECLARED)
    suite = great_expectations.written("golden", expectations)
    assert great_expectations.is_suite(suite)
    read = great_expectations.read(suite)
    assert read.name == "golden"
    assert read.expectations == expectations
    assert read.skipped == ()


def test_a_suite_of_018_is_read_like_one_of_1() -> None:
    old = {
        "data_asset_type": None,
        "expectation_suite_name": "golden",
        "expectations": [
            {
                "expectation_type": "expect_column_values_to_be_between",
                "kwargs": {"column": "score", "min_value": 0, "max_value": 1, "mostly": 0.95, "result_format": "BASIC"},
                "meta": {},
            },
            {"expectation_type": "expect_column_value_lengths_to_equal", "kwargs": {"column": "lang", "value": 2}},
            {"expectation_type": "expect_table_row_count_to_equal", "kwargs": {"value": 7}},
            {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "lang"}},
            {
                "expectation_type": "expect_column_values_to_be_of_type",
                "kwargs": {"column": "score", "type_": "DOUBLE_PRECISION"},
            },
            {
                "expectation_type": "expect_column_pair_values_a_to_be_greater_than_b",
                "kwargs": {"column_A": "end", "column_B": "start", "or_equal": True},
            },
        ],
        "ge_cloud_id": None,
        "meta": {"great_expectations_version": "0.18.22"},
    }
    read = great_expectations.read(old)
    assert [each.declared() for each in read.expectations] == [
        {"expect": "between", "column": "score", "min": 0, "max": 1, "mostly": 0.95},
        {"expect": "length_between", "column": "lang", "min": 2, "max": 2},
        {"expect": "row_count", "min": 7, "max": 7},
        {"expect": "columns_at_least", "columns": ["lang"]},
        {"expect": "type", "column": "score", "types": ["number"]},
        {"expect": "pair", "low": "start", "high": "end"},
    ]


SUITE: dict[str, Any] = {
    "name": "mixed",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}},
        {"type": "expect_column_values_to_be_json_parseable", "kwargs": {"column": "a"}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a", "row_condition": "b > 1"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "a", "min_value": 1, "parse_strings_as_datetimes": True},
        },
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "a", "min_value": {"$PARAMETER": "low"}}},
    ],
}


def test_all_that_is_not_known_is_named_at_once() -> None:
    with pytest.raises(ExpectationInvalid, match="--skip-unknown") as error:
        great_expectations.read(SUITE)
    for each in (
        "json_parseable at expectations[1]",
        "not_be_null with row_condition at expectations[2]",
        "$PARAMETER",
    ):
        assert each in error.value.sentence


def test_what_is_known_is_taken_when_the_rest_may_be_left_out() -> None:
    read = great_expectations.read(SUITE, skip_unknown=True)
    assert [each.declared() for each in read.expectations] == [{"expect": "not_null", "column": "a"}]
    assert len(read.skipped) == 4


def test_our_own_lists_are_no_suites_of_theirs() -> None:
    assert not great_expectations.is_suite({"expectations": DECLARED})
    assert not great_expectations.is_suite(DECLARED)
