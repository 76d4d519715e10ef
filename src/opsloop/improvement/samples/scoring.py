"""Scores of kept answers, by the measures of a scoring."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import structlog

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.asking import ITSELF, Ask, Asked
from opsloop.evaluation.evaluators.registry import Evaluator, Values
from opsloop.improvement.samples.declared import inputs_of
from opsloop.improvement.samples.models import LiveMeasure
from opsloop.monitoring.objectives.scores import Score
from opsloop.monitoring.texts.models import KeptTexts

log = structlog.get_logger()


def scored(measure: LiveMeasure, kept: Sequence[KeptTexts]) -> list[Score]:
    """Of each answer at most one score; none where the measure does not apply or broke.

    Raises: what an evaluator raises that concerns no single answer, such as ModelUnavailable.
    """
    evaluator = registry.find(measure.evaluator, field="evaluator")
    places = inputs_of(evaluator)
    rows: list[Values] = [
        {each.name: getattr(texts, places[each.name]) if each.name in places else None for each in evaluator.inputs}
        for texts in kept
    ]
    ask = evaluator.make_ask(measure.options) if evaluator.make_ask is not None else None
    if ask is not None:
        asked = asyncio.run(_awaited(ask, rows))
        figures = [each.scores.get(ITSELF) if each.error is None else evaluator.worst for each in asked]
    else:
        score = evaluator.make_score(measure.options)
        figures = [_figure(evaluator, score, row, texts) for row, texts in zip(rows, kept, strict=True)]
    return [
        Score(texts.request_id, _value(measure, evaluator, figure), measure.measure, measure.name, measure.passes_from)
        for texts, figure in zip(kept, figures, strict=True)
        if figure is not None and math.isfinite(figure)
    ]


async def _awaited(ask: Ask, rows: Sequence[Values]) -> Sequence[Asked]:
    return await ask(rows)


def _figure(evaluator: Evaluator, score: registry.Score, row: Values, texts: KeptTexts) -> float | None:
    try:
        return score(row)
    except CannotScore:
        return evaluator.worst
    except Exception:  # the rim of an evaluator: one answer must not keep the others from being scored
        log.exception("live_answer_not_scored", evaluator=evaluator.name, request=texts.request_id)
        return None


def _value(measure: LiveMeasure, evaluator: Evaluator, figure: float) -> float:
    """From 0 (bad) to 1 (good)."""
    value = min(1.0, max(0.0, (figure - measure.low) / (measure.high - measure.low)))
    return value if evaluator.higher_is_better else 1 - value
