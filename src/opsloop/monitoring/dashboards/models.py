"""What a dashboard shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PanelLine:
    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class PanelSeries:
    """One panel's lines, a value for each step; None where nothing was counted."""

    key: str
    title: str
    said: str
    lines: tuple[PanelLine, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`starts` are the beginnings of the steps, oldest first; `endpoint` is None for all together."""

    endpoint: str | None
    window_s: int
    step_s: int
    starts: tuple[datetime, ...]
    panels: tuple[PanelSeries, ...]
