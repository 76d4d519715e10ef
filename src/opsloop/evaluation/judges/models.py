"""The nouns: a judge's versions, and what a calibration with people's labels found of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

JudgeVersionId = NewType("JudgeVersionId", str)
CalibrationId = NewType("CalibrationId", str)


@dataclass(frozen=True, slots=True)
class JudgeVersion:
    """One immutable judge under a name; `declared` is all it is, `digest` names that.

    `min_kappa` is what the lower end of the interval of its agreement with people must reach before it may gate.
    """

    id: JudgeVersionId
    name: str
    version: int
    digest: str
    scale: str
    model: str | None
    min_kappa: float
    declared: Mapping[str, Any]
    created_at: datetime
    created_by: str

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its interval of 95 %; without one where the rows are too few. `rows` are those it rests on."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    method: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows people gave one label and the judge one score; None where the judge gave none."""

    label: float
    score: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a judge's scores have in common with people's labels.

    Attributes:
        rows: those with a label that is compared: of several annotators that of most, or their median on points.
        failed: rows on which the judge gave no score; each counts as the score farthest from its label.
        undecided: rows left out, because as many annotators said one thing as another.
        annotators: most labels that a row has.
        raw: the share of rows on which both are the same.
        kappa: Cohen's, with quadratic weights on points, which is what must be reached to gate.
        alphas: Krippendorff's of the judge and all annotators together, by level of measurement.
        people: Krippendorff's alpha of the annotators alone, where there are several: no judge can be asked for more.
        sensitivity, specificity: of a judge that says yes or no: the share of people's yes, and of their no, that it
            says too.
        table: all of it, to compute other figures from.
    """

    rows: int
    failed: int
    undecided: int
    annotators: int
    raw: Measured
    kappa: Measured
    alphas: Mapping[str, Measured]
    people: Measured | None
    sensitivity: Measured | None
    specificity: Measured | None
    table: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class Biases:
    """What moves a judge that should not.

    Attributes:
        length: correlation of its scores with the logarithm of the answer's length in words (of a pair, of the ratio),
            among rows of the same label: 0 for a judge that length does not move.
        order: of pairs shown in both orders, the share that got the same verdict.
        first: of the verdicts that are no tie, the share that took the answer shown first: 1/2 without a bias.
        retest: the share of rows that got the same score when asked a second time.
    """

    length: Measured | None
    order: Measured | None
    first: Measured | None
    retest: Measured | None


class CalibrationStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (CalibrationStatus.DONE, CalibrationStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge held against the labels of a dataset version.

    `answered_by` names the models that answered, as their server names them. `cost_usd` is None when it is not known.
    """

    id: CalibrationId
    judge: str
    digest: str
    dataset: str
    dataset_digest: str
    labels: tuple[str, ...]
    status: CalibrationStatus
    done: int
    total: int
    agreement: Agreement | None
    biases: Biases | None
    answered_by: tuple[str, ...]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    error: str | None
    job: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JudgeShown:
    """A version and its calibrations, newest first; `may_gate`, and else why not."""

    version: JudgeVersion
    calibrations: tuple[Calibration, ...]
    may_gate: bool
    why: str
