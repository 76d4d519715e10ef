"""What an alarm saw: which column or pair, what happened to it, since about which row, and by how much.

The bet with the most evidence says what changed. Since when is the row from which on its factors, multiplied up, are
largest: the start that the Shiryaev-Roberts sum gives the most weight, which is also the maximum-likelihood estimate
of Page's CUSUM (E. S. Page, Biometrika 41 (1954), 100-115). It can lie no further back than the rows that are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.monitoring.drift._wording import Seen, of_all, of_one, of_pair, values_of
from opsloop.monitoring.drift.bets import Bet, Change
from opsloop.monitoring.drift.columns import Floats, Ints
from opsloop.monitoring.drift.delays import expected_delay
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.pairs import GROUPS, group_scores, groups_of

ALL = "all columns together"


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """What the evidence says now, whether it is enough for an alarm or not.

    Args:
        columns: the one or two that changed.
        change: what happened, in a word of `Change`, or `factor`.
        since_row: number of the first changed row, from 1; `since_is_earlier` when it may lie before the kept rows.
        rows_seen: rows read so far.
        shift_sd: of the mean of the normal scores since then, in standard deviations; None for a category or pair.
        before, after: the figure that changed, in the reference and since then, and `figure` is its name.
        log_e: evidence of this bet, natural logarithm.
        unit, unit_why: what was taken as independent, and why.
        is_guaranteed: whether the set rate of false alarms is promised.
        expected_delay: rows, or blocks, until a shift of this size is found; None for other changes.
        contributions: share of the evidence by column or pair, the largest first.
    """

    detected: bool
    score: float
    columns: tuple[str, ...]
    change: str
    sentence: str
    since_row: int
    since_is_earlier: bool
    rows_seen: int
    shift_sd: float | None
    figure: str
    before: float | None
    after: float | None
    log_e: float
    unit: str
    unit_why: str
    is_guaranteed: bool
    expected_delay: float | None
    contributions: tuple[tuple[str, float], ...]


def explain(detector: Detector) -> DriftFinding:
    """What the evidence of a detector says. Slow (milliseconds): for alarms and pages, not for every row."""
    reference = detector.reference
    tables = reference.tables
    money = detector.evidence * tables.weights
    best = int(np.argmax(money))
    bet, subject = tables.bets[best], tables.subjects[best]
    start = _start(detector, best)
    seen, changed = _seen(detector, bet, subject, list(detector.kept)[start:])
    names = tuple(reference.columns[place].name for place in changed)
    unit = reference.block
    since = (detector.alarmed_at or detector.rows) - (len(detector.kept) - start) + 1
    if unit.is_aggregate and len(detector.starts):
        since = list(detector.starts)[min(start, len(detector.starts) - 1)]
    is_earlier = start == 0 and detector.rows > len(detector.kept)
    about = f"{'at or before' if is_earlier else 'about'} row {max(since, 1):,}"
    return DriftFinding(
        detected=detector.alarmed_at is not None,
        score=detector.score,
        columns=names,
        change=seen.change,
        sentence=f"{seen.words} since {about} ({_odds(float(money.sum()), reference.threshold)})",
        since_row=max(since, 1),
        since_is_earlier=is_earlier,
        rows_seen=detector.rows,
        shift_sd=seen.shift_sd,
        figure=seen.figure,
        before=seen.before,
        after=seen.after,
        log_e=float(np.log(max(detector.evidence[best], 1e-300))),
        unit=unit.unit,
        unit_why=unit.why,
        is_guaranteed=reference.is_guaranteed,
        expected_delay=_delay(detector, seen.shift_sd if bet.change in (Change.UP, Change.DOWN) else None),
        contributions=contributions(detector),
    )


def _seen(
    detector: Detector, bet: Bet, subject: tuple[int, ...], rows: list[list[Any]]
) -> tuple[Seen, tuple[int, ...]]:
    """What changed since the change, and in which columns."""
    columns = [detector.reference.columns[place] for place in subject]
    values = [[row[place] for row in rows] for place in subject]
    if not subject:
        return of_all(detector.reference.columns, rows)
    if len(subject) == 1:
        return of_one(columns[0], values[0], bet), subject
    return of_pair(columns, values, bet, _correlation(detector, subject)), subject


def contributions(detector: Detector) -> tuple[tuple[str, float], ...]:
    """Each column's and pair's share of the evidence, the largest first."""
    tables, columns = detector.reference.tables, detector.reference.columns
    shares: dict[str, float] = {}
    total = max(float(detector.evidence @ tables.weights), 1e-300)
    for money, subject in zip(detector.evidence * tables.weights, tables.subjects, strict=True):
        name = " and ".join(columns[place].name for place in subject) or ALL
        shares[name] = shares.get(name, 0.0) + float(money) / total
    return tuple(sorted(shares.items(), key=lambda item: -item[1]))


def _delay(detector: Detector, shift_sd: float | None) -> float | None:
    return None if shift_sd is None else expected_delay(detector.reference, abs(shift_sd))


def _odds(money: float, threshold: float) -> str:
    return (
        f"evidence {money:,.0f}, an alarm needs {threshold:,.0f}" if threshold >= 10 else f"evidence {money:.3g} years"
    )


def _start(detector: Detector, bet: int) -> int:
    """The kept row from which on the bet won most."""
    tokens = [
        column.bins(values_of(column, [row[place] for row in detector.kept])) + base
        for place, (column, base) in enumerate(
            zip(detector.reference.columns, detector.reference.tables.bases.tolist(), strict=True)
        )
    ]
    won = np.cumsum(_logs(detector, bet, tokens)[::-1])[::-1]
    return int(np.argmax(won)) if len(won) else 0


def _log(factors: Floats) -> Floats:
    logs: Floats = np.log(factors)
    return logs


def _logs(detector: Detector, bet: int, tokens: list[Ints]) -> Floats:
    """Log factors of a bet over the kept rows; of a bet on all columns in the direction that it has now."""
    reference, tables = detector.reference, detector.reference.tables
    subject, width = tables.subjects[bet], tables.factors.shape[1]
    if len(subject) == 1:
        return _log(tables.factors[tokens[subject[0]], bet - subject[0] * width])
    cells = [
        tables.pair_bases[place] + tables.groups[tokens[first]] * GROUPS + tables.groups[tokens[second]]
        for place, (first, second) in enumerate(reference.pairs)
    ]
    if not subject:
        every = np.column_stack([*tokens, *(each + len(tables.factors) for each in cells)])
        return _log(detector.sums.directions.factors(every)[:, bet - len(tables.bets)])
    offset = (bet - len(reference.columns) * width) % tables.pair_factors.shape[1]
    return _log(tables.pair_factors[cells[reference.pairs.index((subject[0], subject[1]))], offset])


def _correlation(detector: Detector, subject: tuple[int, ...]) -> float:
    """Of a pair in the reference, from its table of coarse groups."""
    reference = detector.reference
    joint = reference.joints[reference.pairs.index((subject[0], subject[1]))].reshape(GROUPS, GROUPS)
    columns = [reference.columns[place] for place in subject]
    first, second = (group_scores(column, groups_of(column)) for column in columns)
    spread = math.sqrt(float(joint.sum(axis=1) @ first**2) * float(joint.sum(axis=0) @ second**2))
    return float(first @ joint @ second) / spread if spread > 0 else 0.0
