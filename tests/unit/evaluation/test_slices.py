"""Named slices: conditions on the columns of a row, read and never run."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.slices import condition

ROW = {"question": "Was kostet das?", "language": "de", "tokens": 12, "tags": ["price", "plan"], "score": None}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"language": "de"}, True),
        ({"language": ["en", "de"], "tokens": 12}, True),
        ({"language": "en"}, False),
        ({"country": "de"}, False),
        ("length(question) > 10", True),
        ("length(question) > 200", False),
        ('language == "de" and tokens < 20', True),
        ('not (language == "de" or tokens > 100)', False),
        ('"price" in tags', True),
        ('lower(question) != "x" and "kostet" in question', True),
        ("10 <= tokens < 13", True),
        ("tokens > -1", True),
        ("language not in ['en', 'fr']", True),
        ("score > 0.5", False),
        ("tokens > 'a'", False),
        ("length(tokens) > 1", False),
        ("tokens", True),
    ],
)
def test_a_row_belongs_to_a_slice_or_not(declared: object, expected: bool) -> None:
    assert condition(declared, field="x").holds(ROW) is expected


def test_the_dataset_is_a_column_where_there_is_none_of_that_name() -> None:
    golden = condition({"dataset": "golden"}, field="x")
    assert golden.holds(ROW, dataset="golden")
    assert not golden.holds(ROW, dataset="nightly")
    assert not golden.holds({**ROW, "dataset": "mine"}, dataset="golden")


def test_a_condition_knows_the_columns_it_reads() -> None:
    assert condition('length(question) > 3 and language == "de"', field="x").columns == {"question", "language"}


@pytest.mark.parametrize(
    "declared",
    [
        "",
        {},
        5,
        None,
        "question >",
        "__import__('os').system('true')",
        "question.__class__ == 1",
        "[x for x in tags]",
        "open(question)",
        "length(question, 2) > 1",
        "question is None",
        "tokens + 1 > 2",
        "lambda: 1",
        "(" * 3000,
        "(" * 900 + "tokens" + ")" * 900,
    ],
)
def test_what_is_no_condition_is_refused_with_its_form(declared: Any) -> None:
    with pytest.raises(ExperimentInvalid, match=r"gate\.slices\.long: .*a condition such as"):
        condition(declared, field="gate.slices.long")


def test_a_slice_may_be_a_version_of_a_dataset() -> None:
    only = condition('dataset_version == "golden@3"', field="x")
    assert only.holds({}, dataset="golden@3")
    assert not only.holds({}, dataset="golden@4")
    assert condition('dataset == "golden"', field="x").holds({}, dataset="golden@4")
