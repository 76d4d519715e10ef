"""Scores out of what evaluation flows give."""

from __future__ import annotations

import math

import pytest

from opsloop.evaluation.graded import Graded, leaves_of, scores, value_of


def graded(outputs: dict[str, object], only: str | None = None) -> Graded:
    return Graded(leaves_of(outputs, "judge", only))


def test_numbers_in_mappings_are_named_after_their_place() -> None:
    found = leaves_of({"match": {"exact": 1, "partial": 0.5}, "kept": True, "list": [1, 2]}, "judge", None)
    assert found == {"judge.match.exact": 1.0, "judge.match.partial": 0.5, "judge.kept": True}


def test_the_one_output_of_a_flow_goes_by_the_name_of_its_evaluator() -> None:
    assert leaves_of({"score": "4"}, "judge", "score") == {"judge": 4.0}
    assert leaves_of({"match": {"exact": 1}}, "judge", "match") == {"judge.exact": 1.0}


def test_labels_that_come_again_are_counted_and_remarks_are_not() -> None:
    rows = [graded({"grade": word, "why": f"because of {place}"}) for place, word in enumerate("AABBA")]
    found = scores(rows, "judge", worst=None)
    assert found.metrics == ("judge.grade.A", "judge.grade.B")
    assert [row["judge.grade.A"] for row in found.rows] == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert value_of(rows[2], "judge.grade.B") == 1.0


def test_a_label_that_a_gate_asks_for_is_measured_also_when_no_row_has_it() -> None:
    rows = [graded({"grade": "B"}), graded({"grade": "B"})]
    found = scores(rows, "judge", worst=None, asked=["judge.grade.A", "other.grade.C"])
    assert [row["judge.grade.A"] for row in found.rows] == [0.0, 0.0]
    assert set(found.metrics) == {"judge.grade.A", "judge.grade.B"}


def test_a_row_without_a_grade_counts_as_failed_with_the_worst_there_is() -> None:
    rows = [graded({"score": 5, "good": True}), Graded(reason="the flow failed")]
    found = scores(rows, "judge", worst=1.0)
    assert found.rows[1] == {"judge.score": 1.0, "judge.good": 0.0}
    assert found.errors[1] == {"judge.score": "the flow failed", "judge.good": "the flow failed"}
    assert scores(rows, "judge", worst=None).rows[1]["judge.score"] is None


def test_what_is_no_number_is_missing_and_said() -> None:
    rows = [graded({"score": 3}), graded({"score": math.nan}), graded({"score": "n/a"}), graded({})]
    found = scores(rows, "judge", worst=None)
    assert [row["judge.score"] for row in found.rows] == [3.0, None, None, None]
    assert found.errors[1]["judge.score"] == "the evaluation flow gave nan"
    assert found.errors[2]["judge.score"] == "the evaluation flow gave 'n/a'"
    assert found.errors[3]["judge.score"] == "the evaluation flow gave nothing for it"


def test_a_flow_that_graded_nothing_still_has_a_metric_with_the_reasons() -> None:
    found = scores([Graded(reason="boom")], "judge", worst=None)
    assert (found.metrics, found.rows, found.errors) == (("judge",), [{"judge": None}], [{"judge": "boom"}])


@pytest.mark.parametrize("text", ["nan", "inf", "three"])
def test_texts_that_are_no_finite_numbers_stay_texts(text: str) -> None:
    assert leaves_of({"score": text}, "judge", None) == {"judge.score": text}
