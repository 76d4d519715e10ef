"""Whether the flow answered what can be answered and abstained from the rest, and how well it knows the difference.

Beside the share of right decisions there are figures of all rows. `precision`: of the abstentions, how many were from
questions that have no answer. `recall`: of these questions, how many were abstained from; `f1` of both. Where the flow
gives a confidence (0-1 or any scale, more is surer): `auroc`, the chance that a question with an answer got more of it
than one without, and `aurc`, the area under the risk-coverage curve: answer the surest first, and look what share of
the answered had no answer, as a mean over all depths (0 is best; less is better).

Sources: J. A. Hanley, B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982), 29-36;
Y. Geifman, R. El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWERABLE, Evaluator, Input, register
from opsloop.evaluation.evaluators.values import flag
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats

Part = Sequence[Any]
"""Answerable, abstained (None: the flow gave nothing), confidence or None."""


def abstention(values: Mapping[str, Any]) -> float | None:
    """1 when it abstained exactly if the question is not answerable; None where the data do not say."""
    answerable = flag(values, "answerable")
    return None if answerable is None else float(bool(flag(values, "abstained")) != answerable)


def _part(values: Mapping[str, Any]) -> Part | None:
    answerable = flag(values, "answerable")
    return None if answerable is None else [answerable, flag(values, "abstained"), _confidence(values)]


def _confidence(values: Mapping[str, Any]) -> float | None:
    value = values.get("confidence")
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise CannotScore(f"confidence is {value!r}; wanted a number") from None
    if not math.isfinite(found):
        raise CannotScore(f"confidence is {found}; wanted a finite number")
    return found


def figures(parts: Sequence[Part], weights: Floats) -> Mapping[str, Figure]:
    import numpy as np

    unanswerable = np.array([not part[0] for part in parts])
    abstained = np.array([part[1] is True for part in parts])
    hit = unanswerable & abstained
    hits, wanted, given = (weights @ each.astype(np.float64) for each in (hit, unanswerable, abstained))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "precision": Figure(hits / given, int(abstained.sum()), int(hit.sum())),
            "recall": Figure(hits / wanted, int(unanswerable.sum()), int(hit.sum())),
            "f1": Figure(2.0 * hits / (wanted + given), int((unanswerable | abstained).sum())),
        }
    sure = np.array([math.nan if part[2] is None else part[2] for part in parts], dtype=np.float64)
    there = ~np.isnan(sure)
    if there.any():
        found |= _of_confidence(sure[there], unanswerable[there], weights[:, there])
    return found


def _of_confidence(sure: Floats, unanswerable: Any, weights: Floats) -> dict[str, Figure]:
    """Rows of the same confidence are taken together."""
    import numpy as np

    order = np.argsort(-sure, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(sure[order]) != 0.0])
    without = np.add.reduceat(weights[:, order] * unanswerable[order], starts, axis=1)
    every = np.add.reduceat(weights[:, order], starts, axis=1)
    having = every - without
    with np.errstate(invalid="ignore", divide="ignore"):
        risk = np.cumsum(without, axis=1) / np.cumsum(every, axis=1)
        # Of the answerable, those that stand before the unanswerable ones; of equals, half.
        before = np.cumsum(having, axis=1) - having / 2.0
        auroc = (before * without).sum(axis=1) / (having.sum(axis=1) * without.sum(axis=1))
        aurc = np.nansum(every * risk, axis=1) / every.sum(axis=1)
    rare = int(min(unanswerable.sum(), (~unanswerable).sum()))
    return {"auroc": Figure(auroc, rare), "aurc": Figure(aurc, len(sure))}


_INPUTS = (
    replace(ABSTAINED, required=True),
    replace(ANSWERABLE, required=True),
    Input("confidence", ("run.outputs.confidence", "run.outputs.support"), required=False),
)
register(
    Evaluator(
        "abstention",
        _INPUTS,
        lambda _: abstention,
        make_aggregate=lambda _: Aggregate(_part, figures, frozenset({"aurc"})),
    )
)
