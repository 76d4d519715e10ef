"""What the report computes, checks and leaves out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import duckdb
import pytest

from opsloop.flows.compat.exceptions import UserErrorException
from tests.unit.examples.conftest import EXAMPLES

FLOW = "report-generation/flows/report"
DATA = EXAMPLES / "report-generation" / "data"
Load = Callable[[str, str], ModuleType]


def row(month: str, region: str, opened: int = 10, *counts: int) -> dict[str, Any]:
    solved, in_time, answers, satisfied, backlog = counts or (10, 9, 5, 4, 3)
    return {
        "month": month,
        "region": region,
        "tickets_opened": opened,
        "tickets_solved": solved,
        "solved_in_time": in_time,
        "survey_answers": answers,
        "satisfied": satisfied,
        "backlog": backlog,
    }


def registered() -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / "figures.csv").read_text().splitlines()))


def computed(flow_code: Load, month: str, rows: list[Any] | None = None) -> dict[str, Any]:
    checked = flow_code(FLOW, "validate.py").validate(registered() if rows is None else rows, month)
    figures: dict[str, Any] = flow_code(FLOW, "compute.py").compute(checked["rows"], month, 90)
    return figures


# --- the figures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("month", ["2024-01", "2025-01", "2025-07", "2025-12"])
def test_the_figures_are_those_that_sql_gives(flow_code: Load, month: str) -> None:
    shares = """select sum(tickets_opened), sum(tickets_solved),
        round(100.0 * sum(solved_in_time) / sum(tickets_solved), 1),
        round(100.0 * sum(satisfied) / sum(survey_answers), 1), sum(backlog) from figures where month = ?"""
    with duckdb.connect() as database:
        database.execute(
            f"create table figures as select * from read_csv('{DATA / 'figures.csv'}', types = {{'month': 'varchar'}})"
        )
        overall = database.execute(shares, [month]).fetchone()
        islands = database.execute(f"{shares} and region = 'Islands'", [month]).fetchone()
    figures = computed(flow_code, month)
    names = ("opened", "solved", "in_time", "satisfied", "backlog")

    assert tuple(figures["overall"][name] for name in names) == overall
    (ours,) = (each for each in figures["regions"] if each["region"] == "Islands")
    assert tuple(ours[name] for name in names) == islands


def test_a_share_is_of_all_tickets_and_no_mean_of_shares(flow_code: Load) -> None:
    rows = [row("2025-03", "Large", 900, 900, 900, 10, 10, 0), row("2025-03", "Small", 100, 100, 0, 90, 0, 0)]
    overall = computed(flow_code, "2025-03", rows)["overall"]

    assert (overall["in_time"], overall["satisfied"]) == (90.0, 10.0)


def test_a_month_is_compared_with_the_one_before_and_with_the_year_before(flow_code: Load) -> None:
    rows = [row("2024-01", "North", 50), row("2024-12", "North", 80), row("2025-01", "North", 90)]
    figures = computed(flow_code, "2025-01", rows)

    assert (figures["month_before"], figures["year_before"]) == ("2024-12", "2024-01")
    assert (figures["overall"]["opened_change"], figures["overall"]["opened_change_year"]) == (12.5, 80.0)
    assert [each["month"] for each in figures["history"]] == ["2024-12", "2025-01"]


@pytest.mark.parametrize(("part", "whole", "shown"), [(1, 8, 0.1), (25, 100, 0.3), (-25, 100, -0.3), (0, 7, 0.0)])
def test_halves_are_rounded_away_from_zero(flow_code: Load, part: int, whole: int, shown: float) -> None:
    assert flow_code(FLOW, "compute.py").tenths(part, whole) == shown


def test_where_there_is_nothing_to_divide_by_there_is_no_share(flow_code: Load) -> None:
    overall = computed(flow_code, "2025-03", [row("2025-03", "North", 5, 0, 0, 0, 0, 5)])["overall"]

    assert (overall["in_time"], overall["satisfied"], overall["opened_change"]) == (None, None, None)


# --- the rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"tickets_opened": "many"}, "has 'many' as tickets_opened, which is no count"),
        ({"tickets_opened": -1}, "has '-1' as tickets_opened, which is no count"),
        ({"backlog": None}, "has '' as backlog, which is no count"),
        ({"solved_in_time": 11}, "has more solved_in_time (11) than tickets_solved (10)"),
        ({"satisfied": "6"}, "has more satisfied (6) than survey_answers (5)"),
        ({"month": "2025-13"}, "has no month such as 2025-06"),
        ({"region": " "}, "has no region"),
        ({}, "is there twice, and the first one is used"),
    ],
)
def test_a_row_that_cannot_be_right_is_left_out_and_named(flow_code: Load, wrong: dict[str, Any], problem: str) -> None:
    rows = [row("2025-03", "North"), {**row("2025-03", "South" if wrong else "North"), **wrong}]
    checked = flow_code(FLOW, "validate.py").validate(rows, "2025-03")

    assert [each["region"] for each in checked["rows"]] == ["North"]
    (note,) = checked["notes"]
    assert note.startswith("Row 2 (")
    assert note.endswith(f"{problem}.")


def test_figures_come_as_text_or_as_numbers(flow_code: Load) -> None:
    written = {name: str(value) for name, value in row("2025-03", "North").items()}
    halves = row("2025-03", "North") | {"backlog": 3.0}
    validate = flow_code(FLOW, "validate.py").validate

    assert validate([written], "2025-03")["rows"] == validate([halves], "2025-03")["rows"] == [row("2025-03", "North")]


def test_a_wrong_row_of_another_time_is_not_worth_a_note(flow_code: Load) -> None:
    rows = [row("2025-03", "North"), row("2023-01", "North") | {"backlog": "?"}]
    assert flow_code(FLOW, "validate.py").validate(rows, "2025-03")["notes"] == []


def test_a_region_that_stopped_reporting_is_named(flow_code: Load) -> None:
    rows = [row("2025-02", "North"), row("2025-02", "South"), row("2025-03", "North")]
    assert flow_code(FLOW, "validate.py").validate(rows, "2025-03")["notes"] == ["South has no figures for 2025-03."]


@pytest.mark.parametrize(
    ("rows", "month", "sentence"),
    [
        ([], "2025-03", "the figures are empty"),
        ([{"month": "2025-03", "region": "North"}], "2025-03", "the figures have no column tickets_opened"),
        ([row("2025-02", "North")], "2025-03", "no figures for 2025-03; the figures go from 2025-02 to 2025-02"),
        ([row("2025-02", "North")], "March", "month is 'March'; wanted a month such as 2025-06"),
    ],
)
def test_what_cannot_be_reported_on_is_refused(flow_code: Load, rows: list[Any], month: str, sentence: str) -> None:
    with pytest.raises(UserErrorException, match=sentence):
        flow_code(FLOW, "validate.py").validate(rows, month)


def test_csv_text_is_read_with_a_mark_and_with_line_ends_of_any_system(flow_code: Load) -> None:
    read = flow_code(FLOW, "read.py").read
    assert read("\ufeffmonth,region\r\n2025-03, North\r\n") == [{"month": "2025-03", "region": "North"}]


# --- the text ------------------------------------------------------------------------------------------------------


def facts(flow_code: Load, month: str = "2025-07") -> dict[str, Any]:
    said: dict[str, Any] = flow_code(FLOW, "facts.py").facts(computed(flow_code, month))
    return said


@pytest.mark.parametrize(
    ("sentence", "is_kept"),
    [
        ("Customers opened 6,420 tickets in July 2025.", True),
        ("Customers opened about 6420 tickets, 8 % more than in June.", True),
        ("93.8 % were solved in time.", True),
        ("94.8 % were solved in time.", False),
        ("Customers opened 6,420 tickets, and 512 of them waited.", False),
        ("It was a good month.", False),
    ],
)
def test_a_sentence_is_kept_when_each_figure_is_in_the_data(flow_code: Load, sentence: str, is_kept: bool) -> None:
    checked = flow_code(FLOW, "check.py").check(f"- {sentence}", "", facts(flow_code))

    assert (sentence in checked["summary"]) == is_kept
    assert checked["left_out"] == ([] if is_kept else [sentence])


def test_where_nothing_is_left_the_computed_sentences_stand_in(flow_code: Load) -> None:
    known = facts(flow_code)
    checked = flow_code(FLOW, "check.py").check("Sales rose by 77.7 %.", "", known)

    assert checked["summary"] == " ".join(known["overall"])
    assert checked["attention"] == " ".join(known["regions"])


def test_a_report_says_how_many_sentences_were_left_out(flow_code: Load) -> None:
    assemble = flow_code(FLOW, "assemble.py")
    assert assemble.left_out([]) == []
    assert assemble.left_out(["a", "b"])[0].startswith("2 sentences of the text")


def test_names_of_regions_are_no_markdown_and_no_html(flow_code: Load) -> None:
    figures = computed(flow_code, "2025-03", [row("2025-03", "A|B <i>[x](y)</i>")])
    known = flow_code(FLOW, "facts.py").facts(figures)
    checked = flow_code(FLOW, "check.py").check("", "", known)
    report = flow_code(FLOW, "assemble.py").assemble(
        figures, checked, flow_code(FLOW, "charts.py").charts(figures), ["<script>alert(1)</script>"]
    )

    assert r"| A\|B \<i\>\[x\](y)\</i\> |" in report["markdown"]
    assert "<i>" not in report["html"]
    assert "<script" not in report["html"]


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (88.1, 95.4), (0, 1_000_000), (99.9, 100)])
def test_the_scale_of_a_chart_has_round_steps_around_the_values(flow_code: Load, low: float, high: float) -> None:
    bottom, top, step = flow_code(FLOW, "charts.py").scale(low, high)

    assert bottom <= low <= high <= top
    assert bottom < top
    assert (top - bottom) / step == pytest.approx(round((top - bottom) / step))
    assert 1 <= (top - bottom) / step <= 7


def test_the_golden_rows_name_figures_that_sql_gives() -> None:
    golden = [json.loads(line) for line in (DATA / "questions.jsonl").read_text().splitlines()]
    months = {each["month"]: each["figures"] for each in golden if each["id"].endswith("-quality")}
    shares = """select month, round(100.0 * sum(solved_in_time) / sum(tickets_solved), 1)::varchar || ' %',
        round(100.0 * sum(satisfied) / sum(survey_answers), 1)::varchar || ' %' from figures group by month"""
    with duckdb.connect() as database:
        database.execute(
            f"create table figures as select * from read_csv('{DATA / 'figures.csv'}', types = {{'month': 'varchar'}})"
        )
        wanted = {month: [in_time, satisfied] for month, in_time, satisfied in database.execute(shares).fetchall()}

    assert len(months) == 12
    assert months == {month: wanted[month] for month in months}
