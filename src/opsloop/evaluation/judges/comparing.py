"""A judge's scores held against people's labels: agreement with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.evaluation.evaluators.judging.spec import Kind, Scale
from opsloop.evaluation.judges.agreement import Weights, kappa_of
from opsloop.evaluation.judges.krippendorff import Level, alpha, alpha_interval
from opsloop.evaluation.judges.labels import consensus, farthest
from opsloop.evaluation.judges.models import Agreement, Counted, Measured
from opsloop.evaluation.statistics.intervals import clopper_pearson, wilson


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """The labels of a row, one an annotator, and the judge's score; None where there is none."""

    labels: Sequence[float | None]
    score: float | None


@dataclass(frozen=True, slots=True)
class _Pair:
    label: float
    score: float | None

    def counted(self, scale: Scale) -> float:
        return farthest(self.label, scale) if self.score is None else self.score


def compared(rows: Sequence[LabelledRow], scale: Scale, *, seed: int = 0) -> Agreement | None:
    """None when no row has a label that can be compared."""
    settled = [(consensus(row.labels, scale), row) for row in rows]
    pairs = [_Pair(label, row.score) for label, row in settled if label is not None]
    if not pairs:
        return None
    labels, scores = [each.label for each in pairs], [each.counted(scale) for each in pairs]
    same = sum(label == score for label, score in zip(labels, scores, strict=True))
    weights = Weights.QUADRATIC if scale.is_ordinal else Weights.NONE
    kappa = kappa_of(labels, scores, weights=weights)
    given = [[label for label in row.labels if label is not None] for row in rows]
    return Agreement(
        rows=len(pairs),
        failed=sum(each.score is None for each in pairs),
        undecided=sum(label is None and any(each is not None for each in row.labels) for label, row in settled),
        annotators=max(len(each) for each in given),
        raw=_share(same, len(pairs)),
        kappa=Measured(kappa.value, kappa.low, kappa.high, kappa.rows, _KAPPA[weights]),
        alphas=_alphas([[*row.labels, _score(row, label, scale)] for label, row in settled], scale, seed),
        people=_people(rows, scale, seed),
        sensitivity=_rate(pairs, 1.0) if scale.kind is Kind.YES_NO else None,
        specificity=_rate(pairs, 0.0) if scale.kind is Kind.YES_NO else None,
        table=_table(pairs),
    )


_KAPPA = {
    Weights.NONE: "Cohen's kappa, large-sample interval",
    Weights.QUADRATIC: "Cohen's kappa with quadratic weights, large-sample interval",
}


def _score(row: LabelledRow, label: float | None, scale: Scale) -> float | None:
    if row.score is None and label is not None:
        return farthest(label, scale)
    return row.score


def _alphas(ratings: Sequence[Sequence[float | None]], scale: Scale, seed: int) -> dict[str, Measured]:
    levels = list(Level) if scale.is_ordinal else [Level.NOMINAL]
    wide = max(len(row) for row in ratings)
    even = [[*row[:-1], *[None] * (wide - len(row)), row[-1]] for row in ratings]
    return {level.value: _alpha(even, level, seed) for level in levels}


def _people(rows: Sequence[LabelledRow], scale: Scale, seed: int) -> Measured | None:
    ratings = [list(row.labels) for row in rows]
    if not any(sum(label is not None for label in each) > 1 for each in ratings):
        return None
    return _alpha(ratings, Level.ORDINAL if scale.is_ordinal else Level.NOMINAL, seed)


def _alpha(ratings: Sequence[Sequence[float | None]], level: Level, seed: int) -> Measured:
    rows = sum(sum(value is not None for value in row) > 1 for row in ratings)
    found = alpha_interval(ratings, level, seed=seed)
    method = f"Krippendorff's alpha, {level.value}, bootstrap over rows"
    if found is None:
        return Measured(alpha(ratings, level), None, None, rows, method)
    return Measured(found.estimate, found.low, found.high, rows, method)


def _share(hits: int, rows: int) -> Measured:
    found = wilson(hits, rows)
    return Measured(found.estimate, found.low, found.high, rows, found.method)


def _rate(pairs: Sequence[_Pair], label: float) -> Measured | None:
    """Of the rows with a label, how many the judge gave it; exact, as it is divided by later."""
    of_label = [each for each in pairs if each.label == label]
    if not of_label:
        return None
    found = clopper_pearson(sum(each.score == label for each in of_label), len(of_label))
    return Measured(found.estimate, found.low, found.high, len(of_label), found.method)


def _table(pairs: Sequence[_Pair]) -> tuple[Counted, ...]:
    counts = Counter((each.label, each.score) for each in pairs)
    ordered = sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] is not None, item[0][1] or 0.0))
    return tuple(Counted(label, score, count) for (label, score), count in ordered)
