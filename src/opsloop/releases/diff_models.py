"""The nouns of comparing two releases, and of an endpoint's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsloop.releases.models import Release


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of a flow: `lines` are those of a unified diff; `missing` tells why there are none."""

    path: str
    change: str
    added: int
    removed: int
    lines: tuple[str, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that differs, by its path in dots; None where it is not set."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure of an evaluation, or of a model's training, on both sides; None where it was not measured."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What two releases of an endpoint differ in.

    `files` are of flows; `config` has all that the release was given, guardrails and drift watch too; `lineage` is
    what content, data, evaluations and gates stand behind them; `figures` are of their evaluations, or of the models'
    training where there are none. `cut` says what was left out.
    """

    endpoint: str
    before: Release
    after: Release
    files: tuple[FileChange, ...]
    config: tuple[ValueChange, ...]
    lineage: tuple[ValueChange, ...]
    figures: tuple[FigureChange, ...]
    cut: str

    @property
    def is_empty(self) -> bool:
        return not (self.files or self.config or self.lineage)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to an endpoint's traffic: which release, how, who, why."""

    at: datetime
    number: int
    rollout: str
    kind: str
    share: float
    sentence: str
    by: str
