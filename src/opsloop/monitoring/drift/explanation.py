"""What an alarm saw: which column or pair, what happened to it, since about which row, and by how much.

The bet with the most evidence says what changed. Since when is the row from which on its factors, multiplied up, are
largest: the start that the Shiryaev-Roberts sum gives the most weight, which is also the maximum-likelihood estimate
of Page's CUSUM (E. S. Page, Biometrika 41 (1954), 100-115). It can lie no further back than the rows that are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.monitoring.drift.bets import Bet, Change
from opsloop.monitoring.drift.columns import QUANTILES, Column, Floats, is_missing
from opsloop.monitoring.drift.delays import expected_delay
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.factors import factor_of
from opsloop.monitoring.drift.pairs import GROUPS, group_scores, groups_of
from opsloop.monitoring.drift.reference import numbers

_MIDDLE = QUANTILES.index(0.5)


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
        expected_delay: rows until a change of this size is found, on average, or blocks.
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


@dataclass(frozen=True, slots=True)
class _Seen:
    change: str
    words: str
    shift_sd: float | None = None
    figure: str = ""
    before: float | None = None
    after: float | None = None


def explain(detector: Detector) -> DriftFinding:
    """What the evidence of a detector says. Slow (milliseconds): for alarms and pages, not for every row."""
    reference = detector.reference
    tables = reference.tables
    money = detector.evidence * tables.weights
    best = int(np.argmax(money))
    bet, subject = tables.bets[best], tables.subjects[best]
    names = tuple(reference.columns[place].name for place in subject)
    start = _start(detector, best)
    rows = list(detector.kept)[start:]
    columns = [reference.columns[place] for place in subject]
    values = [[row[place] for row in rows] for place in subject]
    seen = (
        _single(columns[0], values[0], bet)
        if len(subject) == 1
        else _double(columns, values, bet, _correlation(detector, subject))
    )
    unit = reference.block
    since = (
        (detector.alarmed_at or detector.rows)
        - (len(detector.kept) - start) * (unit.rows if unit.is_aggregate else 1)
        + 1
    )
    is_earlier = start == 0 and detector.rows > len(detector.kept)
    about = f"{'at or before' if is_earlier else 'about'} row {max(since, 1):,}"
    return DriftFinding(
        detected=detector.alarmed_at is not None,
        score=detector.score,
        columns=names,
        change=seen.change,
        sentence=f"{seen.words} since {about} ({_odds(money[best], reference.threshold)})",
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
        expected_delay=_delay(detector, seen.shift_sd),
        contributions=contributions(detector),
    )


def contributions(detector: Detector) -> tuple[tuple[str, float], ...]:
    """Each column's and pair's share of the evidence, the largest first."""
    tables, columns = detector.reference.tables, detector.reference.columns
    shares: dict[str, float] = {}
    total = max(float(detector.evidence @ tables.weights), 1e-300)
    for money, subject in zip(detector.evidence * tables.weights, tables.subjects, strict=True):
        name = " and ".join(columns[place].name for place in subject)
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
    reference, tables = detector.reference, detector.reference.tables
    subject = tables.subjects[bet]
    places = []
    for place in subject:
        column = reference.columns[place]
        places.append(column.bins(_values(column, [row[place] for row in detector.kept])) + tables.bases[place])
    if len(subject) == 1:
        width = tables.factors.shape[1]
        factors = tables.factors[places[0], bet - subject[0] * width]
    else:
        pair = reference.pairs.index((subject[0], subject[1]))
        cells = tables.pair_bases[pair] + tables.groups[places[0]] * GROUPS + tables.groups[places[1]]
        offset = (bet - len(reference.columns) * tables.factors.shape[1]) % tables.pair_factors.shape[1]
        factors = tables.pair_factors[cells, offset]
    won = np.cumsum(np.log(factors)[::-1])[::-1]
    return int(np.argmax(won)) if len(won) else 0


def _values(column: Column, values: Sequence[Any]) -> Any:
    return list(values) if column.is_category else numbers(list(values))


def _single(column: Column, values: list[Any], bet: Bet) -> _Seen:
    """One column: what it has become, in words."""
    missing = sum(is_missing(value) for value in values) / max(len(values), 1)
    before_missing = float(column.counts[column.missing_bin] / column.counts.sum())
    if bet.change in (Change.MISSING, Change.FILLED):
        words = f"{column.name} is missing in {missing:.1%} of rows, {before_missing:.1%} in the reference,"
        return _Seen(bet.change, words, None, "share missing", before_missing, missing)
    if column.is_category:
        return _category(column, values, bet)
    table = numbers(values)
    table = table[np.isfinite(table)]
    return _number(column, table, bet) if len(table) else _Seen(bet.change, f"{column.name} changed")


def _number(column: Column, values: Floats, bet: Bet) -> _Seen:
    scores = column.scores[column.bins(values)]
    shift = float(scores.mean())
    factor = factor_of(column, values)
    middle = column.quantiles[_MIDDLE] if column.quantiles else 0.0
    now = float(np.median(values))
    if factor is not None:
        words = f"{column.name} looks {factor.words}: its median is {now:.4g}, {middle:.4g} in the reference,"
        return _Seen("factor", words, shift, "median", middle, now)
    if bet.change is Change.UNSEEN:
        empty = column.counts[column.bins(values)] < 0.5
        share = float(empty.mean())
        words = (
            f"{share:.1%} of {column.name} are values that the reference never had (such as {values[empty][-1]:.4g})"
            if empty.any()
            else f"{column.name} has unseen values"
        )
        return _Seen(bet.change, words, shift, "share unseen", 0.0, share)
    if bet.change in (Change.WIDER, Change.NARROWER):
        spread = float(scores.std())
        words = f"{column.name} spreads {spread:.2f} times as much as in the reference"
        return _Seen(bet.change, words, shift, "spread", 1.0, spread)
    figures = f"its median is {now:.4g}, {middle:.4g} in the reference,"
    words = f"{column.name} moved {bet.change} by {abs(shift):.2f} sd: {figures}"
    return _Seen(bet.change, words, shift, "median", middle, now)


def _category(column: Column, values: list[Any], bet: Bet) -> _Seen:
    bins = column.bins(values)
    shares = column.counts / column.counts.sum()
    if bet.change is Change.UNSEEN:
        unseen = [value for value, place in zip(values, bins, strict=True) if column.counts[place] < 0.5]
        share = len(unseen) / max(len(values), 1)
        shown = f" (such as {unseen[-1]!r})" if unseen else ""
        words = f"{share:.1%} of {column.name} are values that the reference never had{shown}"
        return _Seen(bet.change, words, None, "share unseen", 0.0, share)
    place = bet.place if bet.place >= 0 else int(np.argmax(np.bincount(bins, minlength=len(shares))))
    label = column.labels[place] if place < len(column.labels) else "other"
    share = float((bins == place).mean())
    words = f"{column.name} is {label!r} in {share:.1%} of rows, {shares[place]:.1%} in the reference,"
    return _Seen(bet.change, words, None, f"share of {label!r}", float(shares[place]), share)


def _double(columns: Sequence[Column], values: Sequence[list[Any]], bet: Bet, before: float) -> _Seen:
    names = " and ".join(column.name for column in columns)
    verb = {Change.UNLINKED: "no longer go together as they did", Change.REVERSED: "go together the other way"}
    words = f"{names} {verb.get(bet.change, 'go together more')}"
    if any(column.is_category for column in columns) or len(values[0]) < 3:
        return _Seen(bet.change, words)
    first, second = (
        column.scores[column.bins(_values(column, each))] for column, each in zip(columns, values, strict=True)
    )
    if min(first.std(), second.std()) < 1e-9:
        return _Seen(bet.change, words)
    now = float(np.corrcoef(first, second)[0, 1])
    change = Change.UNLINKED if abs(now) < 0.7 * abs(before) else bet.change
    words = f"{names} {verb.get(change, 'go together more')}: their rank correlation is {now:.2f}, {before:.2f} in the"
    return _Seen(change, f"{words} reference,", None, "correlation", before, now)


def _correlation(detector: Detector, subject: tuple[int, ...]) -> float:
    """Of a pair in the reference, from its table of coarse groups."""
    reference = detector.reference
    joint = reference.joints[reference.pairs.index((subject[0], subject[1]))].reshape(GROUPS, GROUPS)
    columns = [reference.columns[place] for place in subject]
    first, second = (group_scores(column, groups_of(column)) for column in columns)
    spread = math.sqrt(float(joint.sum(axis=1) @ first**2) * float(joint.sum(axis=0) @ second**2))
    return float(first @ joint @ second) / spread if spread > 0 else 0.0


def finite(value: float | None) -> float | None:
    """A figure that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None
