"""Each kind of expectation on a table of ten rows, counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsloop.datasets.engine import connected, literal
from opsloop.datasets.expectations.checking import check
from opsloop.datasets.expectations.declared import parse
from opsloop.datasets.expectations.errors import ExpectationInvalid
from opsloop.datasets.expectations.kinds.registry import known
from opsloop.datasets.findings import ExpectationResult
from opsloop.datasets.models import Column, ColumnType

COLUMNS = (
    Column("id", ColumnType.INTEGER),
    Column("lang", ColumnType.TEXT),
    Column("score", ColumnType.NUMBER),
    Column("top", ColumnType.NUMBER),
    Column("ok", ColumnType.BOOLEAN),
    Column("pages", ColumnType.JSON),
    Column("none", ColumnType.EMPTY),
)
ROWS = """
    (1, 'en',  0.0,  1.0,  true,  '[1]', NULL),
    (2, 'de',  0.1,  1.0,  true,  '[1]', NULL),
    (3, 'en',  0.2,  0.1,  true,  NULL,  NULL),
    (4, 'fr',  0.3,  0.3,  false, '[2]', NULL),
    (5, NULL,  0.4,  NULL, true,  '[3]', NULL),
    (5, 'en',  0.5,  1.0,  true,  '[3]', NULL),
    (7, 'eng', 0.6,  1.0,  NULL,  '[3]', NULL),
    (8, 'en',  0.7,  1.0,  true,  '[3]', NULL),
    (9, 'en',  NULL, NULL, true,  '[3]', NULL),
    (10, 'en', 1.5,  2.0,  true,  '[3]', NULL)
"""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("snapshot") / "rows.parquet"
    names = ", ".join(column.name for column in COLUMNS)
    with connected() as duck:
        duck.execute(
            f"COPY (SELECT id::BIGINT AS id, lang, score::DOUBLE AS score, top::DOUBLE AS top, ok, "
            f"pages::JSON AS pages, none::VARCHAR AS none FROM (VALUES {ROWS}) AS t({names})) "
            f"TO {literal(str(path))} (FORMAT parquet)"
        )
    return str(path)


def of(snapshot: str, expectation: dict[str, Any]) -> ExpectationResult:
    report = check(snapshot, COLUMNS, 10, parse([expectation]))
    assert report.met is report.results[0].met
    return report.results[0]


@pytest.mark.parametrize(
    ("expectation", "counted", "rows"),
    [
        ({"expect": "not_null", "column": "lang"}, 10, [5]),
        ({"expect": "not_null", "column": "none"}, 10, [1, 2, 3, 4, 5]),
        ({"expect": "unique", "column": "id"}, 10, [5, 6]),
        ({"expect": "unique", "columns": ["id", "lang"]}, 10, []),
        ({"expect": "unique", "columns": ["lang", "ok"]}, 10, [1, 3, 6, 8, 9, 10]),
        ({"expect": "unique", "columns": ["id", "lang"], "nulls": "any"}, 9, []),
        ({"expect": "unique", "column": "none", "nulls": "never"}, 10, list(range(1, 11))),
        ({"expect": "in_set", "column": "lang", "values": ["en", "de", 3, None]}, 9, [4, 7]),
        ({"expect": "in_set", "column": "ok", "values": [True]}, 9, [4]),
        ({"expect": "in_set", "column": "id", "values": ["1"]}, 10, list(range(1, 11))),
        ({"expect": "not_in_set", "column": "lang", "values": ["fr"]}, 9, [4]),
        ({"expect": "in_set", "column": "pages", "values": ["[1]", "[3]"]}, 9, [4]),
        ({"expect": "between", "column": "score", "min": 0, "max": 1}, 9, [10]),
        ({"expect": "between", "column": "score", "min": 0, "strict_min": True}, 9, [1]),
        ({"expect": "between", "column": "score", "max": 1.5, "strict_max": True}, 9, [10]),
        ({"expect": "between", "column": "lang", "min": "de", "max": "en"}, 9, [4, 7]),
        ({"expect": "between", "column": "none", "min": 0}, 0, []),
        ({"expect": "length_between", "column": "lang", "min": 2, "max": 2}, 9, [7]),
        ({"expect": "regex", "column": "lang", "pattern": "^..$"}, 9, [7]),
        ({"expect": "not_regex", "column": "lang", "pattern": "r"}, 9, [4]),
        ({"expect": "pair", "low": "score", "high": "top"}, 9, [3, 5]),
        ({"expect": "pair", "low": "score", "high": "top", "nulls": "either"}, 8, [3]),
        ({"expect": "pair", "low": "score", "high": "top", "nulls": "never"}, 10, [3, 5, 9]),
        ({"expect": "pair", "low": "score", "high": "top", "strict": True, "nulls": "either"}, 8, [3, 4]),
    ],
)
def test_rows_that_break_it_are_counted_and_named(
    snapshot: str, expectation: dict[str, Any], counted: int, rows: list[int]
) -> None:
    result = of(snapshot, expectation)
    assert result.met is not bool(rows)
    assert result.counted == counted
    assert [each.row for each in result.rows] == rows[:5]
    if expectation.get("column") != "none" or expectation["expect"] == "unique":
        assert result.broken == len(rows)


@pytest.mark.parametrize(
    ("expectation", "met", "observed"),
    [
        ({"expect": "type", "column": "id", "types": ["number"]}, True, "it is integer"),
        ({"expect": "type", "column": "score", "types": ["integer"]}, False, "it is number"),
        ({"expect": "type", "column": "none", "types": ["text"]}, True, "it is empty"),
        ({"expect": "row_count", "min": 10, "max": 10}, True, "there are 10 rows"),
        ({"expect": "row_count", "min": 10, "strict_min": True}, False, "there are 10 rows"),
        ({"expect": "columns_at_least", "columns": ["id", "truth"]}, False, "truth missing"),
        ({"expect": "columns_exactly", "columns": ["id"]}, False, "lang, score, top, ok, pages, none too many"),
        ({"expect": "columns_exactly", "columns": [each.name for each in COLUMNS[::-1]]}, True, None),
        (
            {"expect": "columns_exactly", "columns": [each.name for each in COLUMNS[::-1]], "in_order": True},
            False,
            None,
        ),
        ({"expect": "mean_between", "column": "id", "min": 5.4, "max": 5.4}, True, "it is 5.4"),
        ({"expect": "median_between", "column": "score", "min": 0.4, "max": 0.4}, True, "it is 0.4"),
        ({"expect": "min_between", "column": "score", "min": 0.1}, False, "it is 0"),
        ({"expect": "max_between", "column": "score", "max": 1.5, "strict_max": True}, False, "it is 1.5"),
        ({"expect": "sum_between", "column": "id", "min": 54, "max": 54}, True, "it is 54"),
        ({"expect": "stdev_between", "column": "top", "min": 0.5, "max": 0.6}, True, None),
        ({"expect": "unique_value_count_between", "column": "lang", "max": 3}, False, "it is 4"),
        ({"expect": "mean_between", "column": "none", "min": 0}, False, "it is nothing: there are no values"),
        (
            {"expect": "quantiles_between", "column": "id", "quantiles": [0, 1], "ranges": [[1, 1], [None, 10]]},
            True,
            "it is [1, 10]",
        ),
        ({"expect": "mean_between", "column": "lang", "min": 0}, False, "lang is text, and not a number"),
        ({"expect": "between", "column": "lang", "min": 0}, False, "lang is text, which cannot be compared with 0"),
        ({"expect": "not_null", "column": "answer"}, False, "there is no column answer"),
    ],
)
def test_a_figure_or_the_table_says_what_was_found(
    snapshot: str, expectation: dict[str, Any], met: bool, observed: str | None
) -> None:
    result = of(snapshot, expectation)
    assert result.met is met
    if observed is not None:
        assert result.observed == observed


def test_a_share_of_the_rows_may_break_it(snapshot: str) -> None:
    wanted = {"expect": "in_set", "column": "lang", "values": ["en", "de"]}
    assert of(snapshot, wanted | {"mostly": 0.77}).met
    assert not of(snapshot, wanted | {"mostly": 0.78}).met


def test_a_pattern_that_the_engine_cannot_read_is_said_and_not_met(snapshot: str) -> None:
    result = of(snapshot, {"expect": "regex", "column": "lang", "pattern": "(?=e)"})
    assert not result.met
    assert result.observed is not None
    assert "the pattern cannot be used" in result.observed


def test_many_are_checked_together_and_each_gets_its_own_answer(snapshot: str) -> None:
    report = check(
        snapshot,
        COLUMNS,
        10,
        parse(
            [
                {"expect": "between", "column": "score", "min": 0, "max": 1},
                {"expect": "mean_between", "column": "id", "min": 6},
                {"expect": "unique", "column": "id"},
                {"expect": "not_null", "column": "id"},
            ]
        ),
    )
    assert [each.met for each in report.results] == [False, False, False, True]
    assert str(report).startswith(
        "3 of 4 expectations are not met: between score (min 0, max 1) is broken by 1 of 9 rows"
    )


def test_what_is_shown_of_a_broken_row_holds_no_personal_data(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with connected() as duck:
        duck.execute(f"COPY (SELECT 'ada@example.org' AS contact) TO {literal(str(path))} (FORMAT parquet)")
    columns = (Column("contact", ColumnType.TEXT),)
    report = check(str(path), columns, 1, parse([{"expect": "regex", "column": "contact", "pattern": "^[0-9]+$"}]))
    assert report.results[0].rows[0].value == "'<email xxx@xxxxxxx.xxx>'"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"expect": "betwen", "column": "a"}, "expectations\\[0\\].expect: is 'betwen'.*did you mean 'between'"),
        ({"column": "a"}, "wanted a mapping such as"),
        ({"expect": "between", "column": "a"}, "wanted min, max or both"),
        ({"expect": "between", "column": "a", "mn": 1}, "expectations\\[0\\].mn.*did you mean 'min'"),
        ({"expect": "between", "column": "a", "min": True}, "expectations\\[0\\].min: is True; wanted a number"),
        ({"expect": "not_null"}, "column: wanted a column's name; it is missing"),
        ({"expect": "not_null", "column": "a", "mostly": 1.5}, "mostly: is 1.5; wanted a share"),
        ({"expect": "row_count", "min": 1, "mostly": 0.5}, "wanted none: it is not about rows"),
        ({"expect": "type", "column": "a", "types": ["varchar"]}, "wanted a list of text"),
        ({"expect": "unique", "column": "a", "columns": ["b"]}, "column or columns, and not both"),
        ({"expect": "quantiles_between", "column": "a", "quantiles": [0.5], "ranges": []}, "as many ranges"),
        ({"expect": "length_between", "column": "a", "min": -1}, "a whole number of at least 0"),
    ],
)
def test_a_wrong_declaration_names_place_value_and_wanted_form(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ExpectationInvalid, match=said):
        parse([declared])


def test_what_was_declared_comes_back_as_it_was() -> None:
    declared = [{"expect": "between", "column": "a", "min": 0, "mostly": 0.5, "meta": {"owner": "ada"}}]
    assert [each.declared() for each in parse(declared)] == declared
    assert "between" in known()
