"""Whether an answer is the right label, and how well each label is found: precision, recall and F1.

F1 of a label is 2 TP / (2 TP + FP + FN); `macro_f1` is the mean of F1 over the labels that occur in the truth, and is
not the F1 of mean precision and mean recall. A row on which the flow failed, or whose answer is no label, is a miss of
its true label and no find of another.

Source: J. Opitz, S. Burst, Macro F1 and macro F1, arXiv 1911.03347 (2019), which of two averages in use to take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.options import texts as listed
from opsloop.evaluation.evaluators.options import yes_or_no
from opsloop.evaluation.evaluators.registry import ANSWERS, TRUTHS, Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.values import text
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats

# Each label has figures of its own; a column of free text is no label.
LABELS_LIMIT = 100
_INPUTS = (
    Input("answer", ("run.outputs.label", "run.outputs.category", "run.outputs.prediction", *ANSWERS)),
    Input("truth", ("data.label", "data.category", *TRUTHS)),
)


class _Labels:
    """Labels as they are compared: without blanks around them and, unless told otherwise, whatever the case."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._exact = yes_or_no(options, "case_sensitive")
        self._known = {self._folded(each): each for each in listed(options, "labels")}

    def of(self, values: Mapping[str, Any], name: str) -> str:
        """Raises: CannotScore when the experiment names the labels and this is none of them."""
        label = self._folded(text(values, name))
        if self._known and label not in self._known:
            raise CannotScore(f"{name} is {shown(values[name])}; wanted one of {', '.join(self._known.values())}")
        return label

    def _folded(self, value: str) -> str:
        return value.strip() if self._exact else value.strip().casefold()


def classification(options: Mapping[str, Any]) -> Score:
    """1 when the answer is the label of the truth."""
    labels = _Labels(options)
    return lambda values: float(labels.of(values, "truth") == labels.of(values, "answer"))


def _aggregate(options: Mapping[str, Any]) -> Aggregate:
    labels = _Labels(options)

    def part(values: Mapping[str, Any]) -> list[str | None] | None:
        if values["truth"] is None:
            return None
        return [labels.of(values, "truth"), None if values["answer"] is None else labels.of(values, "answer")]

    return Aggregate(part, figures)


def figures(parts: Sequence[Sequence[str | None]], weights: Floats) -> Mapping[str, Figure]:
    """Of pairs of the true label and the found one. Of more than `LABELS_LIMIT` labels there are only the means."""
    import numpy as np

    labels = sorted({pair[0] for pair in parts if pair[0] is not None})
    codes: dict[str | None, int] = {label: code for code, label in enumerate(labels)}
    true, found = (np.array([codes.get(pair[side], -1) for pair in parts]) for side in (0, 1))
    named: dict[str, Figure] = {}
    f1s = []
    for code, label in enumerate(labels):
        is_true, is_found = true == code, found == code
        hit = is_true & is_found
        hits, wanted, given = (weights @ each.astype(np.float64) for each in (hit, is_true, is_found))
        with np.errstate(invalid="ignore", divide="ignore"):
            recall, precision, f1 = hits / wanted, hits / given, 2.0 * hits / (wanted + given)
        f1s.append(f1)
        count = int(hit.sum())
        named[f"recall.{label}"] = Figure(recall, int(is_true.sum()), count)
        named[f"precision.{label}"] = Figure(precision, int(is_found.sum()), count)
        named[f"f1.{label}"] = Figure(f1, int((is_true | is_found).sum()))
    if len(labels) > LABELS_LIMIT:
        named = {}
    # A label that a resample lost is not averaged there.
    with np.errstate(invalid="ignore", divide="ignore"):
        stacked = np.stack(f1s)
        macro = np.nansum(stacked, axis=0) / (~np.isnan(stacked)).sum(axis=0)
    return {"macro_f1": Figure(macro, len(parts)), **named}


register(
    Evaluator(
        "classification",
        _INPUTS,
        classification,
        options=("labels", "case_sensitive"),
        make_aggregate=_aggregate,
    )
)
