"""How well a flow knows what it cannot answer, against values computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import CannotScore
from tests.unit.evaluation.evaluators.scores import figures, score


def rows(*given: tuple[bool, bool | None, float | None]) -> list[dict[str, Any]]:
    return [dict(zip(("answerable", "abstained", "confidence"), each, strict=True)) for each in given]


def test_precision_and_recall_are_of_abstaining() -> None:
    found = figures(
        "abstention",
        rows((False, True, None), (False, True, None), (False, False, None), (True, True, None), (True, False, None)),
    )
    assert found == {"precision": pytest.approx(2 / 3), "recall": pytest.approx(2 / 3), "f1": pytest.approx(2 / 3)}


def test_a_failed_row_is_no_abstention() -> None:
    assert figures("abstention", rows((False, None, None), (False, True, None)))["recall"] == 0.5


def test_auroc_is_the_chance_that_the_answerable_is_surer() -> None:
    # scikit-learn's example of roc_auc_score: labels 0 0 1 1, scores .1 .4 .35 .8, area .75.
    given = rows((False, True, 0.1), (False, True, 0.4), (True, False, 0.35), (True, False, 0.8))
    assert figures("abstention", given)["auroc"] == pytest.approx(0.75)


def test_equals_count_half() -> None:
    assert figures("abstention", rows((False, True, 0.5), (True, False, 0.5)))["auroc"] == 0.5


def test_the_risk_is_the_share_of_what_has_no_answer_among_the_surest() -> None:
    given = rows((True, False, 0.9), (False, False, 0.8), (True, False, 0.7), (False, True, 0.1))
    # Risk at depth 1..4: 0, 1/2, 1/3, 2/4.
    assert figures("abstention", given)["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_without_a_confidence_there_is_no_area() -> None:
    assert figures("abstention", rows((False, True, None), (True, False, None))).keys() == {"precision", "recall", "f1"}


@pytest.mark.parametrize("confidence", ["sure", float("nan"), [1]])
def test_a_confidence_that_is_no_number_is_said(confidence: Any) -> None:
    with pytest.raises(CannotScore, match="confidence"):
        figures("abstention", rows((True, False, confidence)))


def test_a_row_counts_when_the_decision_was_right() -> None:
    assert score("abstention", answerable=False, abstained=True) == 1.0
