"""What happened to a column, a pair, or many columns, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsloop.monitoring.drift.bets import Bet, Change
from opsloop.monitoring.drift.columns import QUANTILES, Column, Floats, is_missing, numbers
from opsloop.monitoring.drift.factors import factor_of

_MIDDLE = QUANTILES.index(0.5)
_NAMED = 3
_NEAR_THE_END = 0.85


@dataclass(frozen=True, slots=True)
class Seen:
    change: str
    words: str
    shift_sd: float | None = None
    figure: str = ""
    before: float | None = None
    after: float | None = None


def values_of(column: Column, values: Sequence[Any]) -> Any:
    return list(values) if column.is_category else numbers(list(values))


def of_one(column: Column, values: list[Any], bet: Bet) -> Seen:
    """One column: what it has become, in words."""
    missing = sum(is_missing(value) for value in values) / max(len(values), 1)
    before_missing = float(column.counts[column.missing_bin] / column.counts.sum())
    if bet.change in (Change.MISSING, Change.FILLED):
        words = f"{column.name} is missing in {missing:.1%} of rows, {before_missing:.1%} in the reference,"
        return Seen(bet.change, words, None, "share missing", before_missing, missing)
    if column.is_category:
        return _category(column, values, bet)
    table = numbers(values)
    table = table[np.isfinite(table)]
    return _number(column, table, bet) if len(table) else Seen(bet.change, f"{column.name} changed")


def _number(column: Column, values: Floats, bet: Bet) -> Seen:
    scores = column.scores[column.bins(values)]
    shift = float(scores.mean())
    factor = factor_of(column, values)
    middle = column.quantiles[_MIDDLE] if column.quantiles else 0.0
    now = float(np.median(values))
    if factor is not None:
        words = f"{column.name} looks {factor.words}: its median is {now:.4g}, {middle:.4g} in the reference,"
        return Seen("factor", words, shift, "median", middle, now)
    if bet.change is Change.UNSEEN:
        empty = column.counts[column.bins(values)] < 0.5
        share = float(empty.mean())
        words = (
            f"{share:.1%} of {column.name} are values that the reference never had (such as {values[empty][-1]:.4g})"
            if empty.any()
            else f"{column.name} has unseen values"
        )
        return Seen(bet.change, words, shift, "share unseen", 0.0, share)
    if bet.change in (Change.WIDER, Change.NARROWER):
        spread = float(scores.std())
        words = f"{column.name} spreads {spread:.2f} times as much as in the reference"
        return Seen(bet.change, words, shift, "spread", 1.0, spread)
    figures = f"its median is {now:.4g}, {middle:.4g} in the reference,"
    words = f"{column.name} moved {bet.change} by {_size(column, abs(shift))} sd: {figures}"
    return Seen(bet.change, words, shift, "median", middle, now)


def _size(column: Column, shift: float) -> str:
    """How far the rows moved; normal scores end with the reference's outermost bin, and say no more beyond it."""
    most = float(np.abs(column.scores).max())
    return f"{shift:.2f}" if shift < _NEAR_THE_END * most else f"more than {_NEAR_THE_END * most:.1f}"


def _category(column: Column, values: list[Any], bet: Bet) -> Seen:
    bins = column.bins(values)
    shares = column.counts / column.counts.sum()
    if bet.change is Change.UNSEEN:
        unseen = [value for value, place in zip(values, bins, strict=True) if column.counts[place] < 0.5]
        share = len(unseen) / max(len(values), 1)
        shown = f" (such as {unseen[-1]!r})" if unseen else ""
        words = f"{share:.1%} of {column.name} are values that the reference never had{shown}"
        return Seen(bet.change, words, None, "share unseen", 0.0, share)
    now = np.bincount(bins, minlength=len(shares)) / max(len(bins), 1)
    place = bet.place if bet.place >= 0 else int(np.argmax(np.abs(now - shares)))
    label = column.labels[place] if place < len(column.labels) else "other"
    share = float(now[place])
    words = f"{column.name} is {label!r} in {share:.1%} of rows, {shares[place]:.1%} in the reference,"
    return Seen(bet.change, words, None, f"share of {label!r}", float(shares[place]), share)


def of_pair(columns: Sequence[Column], values: Sequence[list[Any]], bet: Bet, before: float) -> Seen:
    names = " and ".join(column.name for column in columns)
    verb = {Change.UNLINKED: "no longer go together as they did", Change.REVERSED: "go together the other way"}
    words = f"{names} {verb.get(bet.change, 'go together more')}"
    if any(column.is_category for column in columns) or len(values[0]) < 3:
        return Seen(bet.change, words)
    first, second = (
        column.scores[column.bins(values_of(column, each))] for column, each in zip(columns, values, strict=True)
    )
    if min(first.std(), second.std()) < 1e-9:
        return Seen(bet.change, words)
    now = float(np.corrcoef(first, second)[0, 1])
    change = Change.UNLINKED if abs(now) < 0.7 * abs(before) else bet.change
    words = f"{names} {verb.get(change, 'go together more')}: their rank correlation is {now:.2f}, {before:.2f} in the"
    return Seen(change, f"{words} reference,", None, "correlation", before, now)


def of_all(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> tuple[Seen, tuple[int, ...]]:
    """Many columns that moved a little each, and which of them moved most."""
    moves = []
    for place, column in enumerate(columns):
        scores = column.scores[column.bins(values_of(column, [row[place] for row in rows]))]
        level, spread = float(scores.mean()), float(scores.std())
        moved = (abs(level), f"{column.name} {'up' if level > 0 else 'down'} by {abs(level):.2f} sd", place)
        spreads = (abs(spread - 1.0) / 1.4, f"{column.name} spreads {spread:.2f} times as much", place)
        if not column.is_category:
            moves.append(max(moved, spreads))
    moves.sort(reverse=True)
    named = moves[:_NAMED]
    if not named:
        return Seen(Change.JOINT, "several columns changed together"), ()
    words = "several columns changed together: " + ", ".join(move[1] for move in named) + ","
    return Seen(Change.JOINT, words, named[0][0]), tuple(move[2] for move in named)
