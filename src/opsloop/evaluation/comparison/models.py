"""What came out when two runs were compared: the nouns that every surface shows.

`base` is the run that was there before, `head` the one that is asked about. Better and worse follow each metric's own
direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opsloop.evaluation.models import RowRecord, Run


class Change(StrEnum):
    """What an interval of a difference shows; `unclear` is neither: it holds 0."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric on both sides.

    Attributes:
        rows: rows that both runs measured; the figures speak of these.
        difference, low, high: mean of head minus base with its 95 % interval; None without rows.
        better, worse, same: rows by what became of their value.
        broke, mended: rows that passed the metric in base and not in head, and the other way round (`passing` says
            from which value on a row passes; None when no value of this metric is a pass, as for a latency).
    """

    metric: str
    unit: str
    higher_is_better: bool
    rows: int
    base: float | None
    head: float | None
    difference: float | None
    low: float | None
    high: float | None
    better: int
    worse: int
    same: int
    broke: int
    mended: int
    passing: float | None
    method: str

    @property
    def change(self) -> Change:
        if self.difference is None or self.low is None or self.high is None or self.better == self.worse == 0:
            return Change.SAME
        if self.low <= 0.0 <= self.high:
            return Change.UNCLEAR
        return Change.BETTER if (self.low > 0.0) == self.higher_is_better else Change.WORSE


@dataclass(frozen=True, slots=True)
class SliceChange:
    """The metrics on the rows of one slice, such as `topic: leave`."""

    name: str
    rows: int
    metrics: tuple[MetricChange, ...]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of the data in both runs (of repeats the first), and what became of it.

    Attributes:
        differences: per metric head minus base, the mean of repeats; only metrics measured on both sides.
        broke, mended: metrics that the row passed in base and not in head, and the other way round.
        worsening: sum of what its scores from 0 to 1 lost; below 0 when they gained.
        is_same: whether scores and outputs are the same.
    """

    dataset: str
    row: int
    base: RowRecord
    head: RowRecord
    differences: dict[str, float]
    broke: tuple[str, ...]
    mended: tuple[str, ...]
    worsening: float
    is_same: bool

    @property
    def change(self) -> Change:
        if self.broke or self.worsening > 0.0:
            return Change.WORSE
        if self.mended or self.worsening < 0.0:
            return Change.BETTER
        return Change.SAME if self.is_same else Change.UNCLEAR


@dataclass(frozen=True, slots=True)
class RowCounts:
    """`other` rows have the same scores and another output."""

    all: int
    worse: int
    better: int
    other: int
    same: int
    broke: int
    mended: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the rows they share. `left_out` names datasets that only one of them ran on."""

    base: Run
    head: Run
    sentence: str
    metrics: tuple[MetricChange, ...]
    slices: tuple[SliceChange, ...]
    rows: RowCounts
    left_out: tuple[str, ...]
