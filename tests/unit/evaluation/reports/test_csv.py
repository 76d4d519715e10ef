"""The rows as a table: one line each, and no formula in it."""

from __future__ import annotations

import csv
import io

import pytest

from opsloop.evaluation.reports.csv_report import guarded, render
from tests.unit.evaluation.made import hostile_report, report, row, rows


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_of_the_data_is_a_line_with_its_scores_and_what_became_of_it() -> None:
    found = lines(render(report(rows([1, 0]), rows([1, 1]))))
    assert [(each["row"], each["exact"], each["change"], each["broke"]) for each in found] == [
        ("0", "1", "same", ""),
        ("1", "0", "worse", "exact"),
    ]
    assert found[1]["base_answered"] == "yes"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", "\n=", " =", "\uff1d"])
def test_a_text_that_would_be_a_formula_is_a_text(start: str) -> None:
    assert guarded(f'{start}HYPERLINK("http://evil.example")').startswith("'")
    (found,) = lines(render(report([row(0, answer=f"{start}cmd|' /C calc'!A0")])))
    assert found["answered"].startswith("'")


def test_a_negative_score_stays_a_figure() -> None:
    (found,) = lines(render(report([row(0, -0.5)])))
    assert found["exact"] == "-0.5"


def test_hostile_text_stays_in_its_cell() -> None:
    made = hostile_report()
    found = lines(render(made))
    assert len(found) == len(made.rows)
    assert all(None not in each for each in found)
    assert max(len(cell) for each in found for cell in each.values()) < 32_767
