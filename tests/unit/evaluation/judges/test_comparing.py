"""A judge's scores beside people's labels: what is compared, what counts as wrong, what moves it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.evaluation.evaluators.judging import spec
from opsloop.evaluation.judges.biases import Probed, biases, length_bias, size_of
from opsloop.evaluation.judges.comparing import LabelledRow, compared
from opsloop.evaluation.judges.errors import LabelsInvalid
from opsloop.evaluation.judges.labels import columns_of, consensus, farthest, labels_of
from opsloop.evaluation.judges.models import Counted

YES_NO = spec.read({"rubric": "r"}, "").scale
POINTS = spec.read({"rubric": "r", "scale": "1-5"}, "").scale
PAIR = spec.read({"rubric": "r", "scale": "pairwise"}, "").scale


def test_agreement_is_compared_with_what_most_say() -> None:
    rows = [
        *[LabelledRow([1.0], 1.0)] * 40,
        *[LabelledRow([0.0], 0.0)] * 40,
        *[LabelledRow([1.0], 0.0)] * 5,
        *[LabelledRow([0.0, 0.0, 1.0], 1.0)] * 5,
        LabelledRow([1.0, 0.0], 1.0),
        LabelledRow([None], 1.0),
    ]
    found = compared(rows, YES_NO)
    assert found is not None
    assert (found.rows, found.undecided, found.annotators, found.failed) == (90, 1, 3, 0)
    assert found.raw.value == pytest.approx(80 / 90)
    assert found.kappa.value == pytest.approx(2 * 80 / 90 - 1)
    assert found.sensitivity is not None
    assert found.sensitivity.value == pytest.approx(40 / 45)
    assert found.people is not None
    assert found.people.rows == 6
    assert Counted(1.0, 0.0, 5) in found.table


def test_a_row_without_a_score_counts_as_the_most_wrong_one() -> None:
    rows = [*[LabelledRow([1.0], 1.0)] * 10, *[LabelledRow([5.0], 5.0)] * 9, LabelledRow([5.0], None)]
    found = compared(rows, POINTS)
    assert found is not None
    assert found.failed == 1
    assert found.raw.value == pytest.approx(19 / 20)
    assert found.kappa.value is not None
    assert found.kappa.value < 1.0
    assert set(found.alphas) == {"nominal", "ordinal", "interval"}
    assert [farthest(label, POINTS) for label in (1, 3, 4, 5)] == [5, 1, 1, 1]


def test_rows_that_nobody_agrees_on_are_no_labels() -> None:
    assert compared([LabelledRow([1.0, 0.0], 1.0)], YES_NO) is None
    assert consensus([1.0, 0.0], YES_NO) is None
    assert consensus([2.0, 4.0, 5.0], POINTS) == 4.0
    assert consensus([2.0, 4.0], POINTS) == 2.0
    assert consensus([], POINTS) is None


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        ("Yes", YES_NO, [1.0]),
        (False, YES_NO, [0.0]),
        (1, YES_NO, [1.0]),
        ("4", POINTS, [4.0]),
        (["A", "tie", None], PAIR, [1.0, 0.5, None]),
        ("", YES_NO, [None]),
        (None, YES_NO, [None]),
    ],
)
def test_labels_are_read_in_the_words_of_the_scale(value: Any, scale: spec.Scale, expected: list[float | None]) -> None:
    assert labels_of({"label": value}, 0, ["label"], scale) == expected


@pytest.mark.parametrize(
    ("value", "scale"), [("maybe", YES_NO), (6, POINTS), (2.5, POINTS), (True, POINTS), ("C", PAIR)]
)
def test_a_label_of_another_scale_names_its_row_and_column(value: Any, scale: spec.Scale) -> None:
    with pytest.raises(LabelsInvalid, match="row 3, column label"):
        labels_of({"label": value}, 2, ["label"], scale)


def test_the_columns_of_labels_are_found_or_asked_for() -> None:
    assert columns_of(["answer", "human_label"], []) == ("human_label",)
    assert columns_of(["answer", "ann", "ben"], ["ann", "ben"]) == ("ann", "ben")
    with pytest.raises(LabelsInvalid, match="--label"):
        columns_of(["answer"], [])
    with pytest.raises(LabelsInvalid, match="a column of the dataset"):
        columns_of(["answer"], ["ann"])


def test_length_counts_only_among_rows_of_the_same_label() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(2, size=200).astype(float)
    sizes = rng.normal(size=200) + labels  # better answers are longer, which is no bias
    fair = [Probed(label, label, size) for label, size in zip(labels, sizes, strict=True)]
    noisy = [Probed(label, float(rng.random() < 0.5), size) for label, size in zip(labels, sizes, strict=True)]
    moved = [Probed(label, label + size, size) for label, size in zip(labels, sizes, strict=True)]
    assert length_bias(fair) is None  # without any error nothing is left to correlate
    found = length_bias(noisy)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.0 < found.high
    biased = length_bias(moved)
    assert biased is not None
    assert biased.value == pytest.approx(1.0)
    assert length_bias(fair[:9]) is None


def test_the_order_of_a_pair_is_probed() -> None:
    always_first = Probed(1.0, 0.5, 0.0, orders=(1.0, 0.0))
    sure = Probed(1.0, 1.0, 0.0, orders=(1.0, 1.0))
    found = biases([*[always_first] * 6, *[sure] * 4], [(1.0, 1.0), (1.0, 0.0), (None, None)])
    assert found.order is not None
    assert found.order.value == pytest.approx(0.4)
    assert found.first is not None
    assert found.first.value == pytest.approx((12 + 4) / 20)  # a sure verdict takes the first in one of two orders
    assert found.retest is not None
    assert found.retest.value == pytest.approx(1 / 3)


def test_the_size_of_a_pair_is_how_much_longer_the_judged_one_is() -> None:
    assert size_of({"answer": "one two three"}) == pytest.approx(np.log(4))
    assert size_of({"answer": "one two three", "other": "one"}) == pytest.approx(np.log(2))
