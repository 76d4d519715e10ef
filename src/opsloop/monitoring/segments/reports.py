"""Parts of a model's traffic, side by side: the nouns that the API answers with."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.monitoring.performance.reports import Figure


@dataclass(frozen=True, slots=True)
class Segment:
    """One part.

    Args:
        share, reference_share: of the rows, now and in the reference; None without a reference.
        shift: how far the mean of the input that moved most is from the reference's in this part, in its standard
            deviations there; None with fewer than 30 rows on a side.
        shifted: that input.
        labelled: rows with labels; `figure` is of these, None when there are none.
    """

    name: str
    rows: int
    share: float
    reference_share: float | None
    shift: float | None
    shifted: str
    labelled: int
    figure: Figure | None


@dataclass(frozen=True, slots=True)
class SegmentReport:
    endpoint: str
    release: str
    feature: str
    segments: tuple[Segment, ...]
