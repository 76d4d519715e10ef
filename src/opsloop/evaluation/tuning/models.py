"""What tuning a collection speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from opsloop.core.jobs.models import JobStatus

TuningId = NewType("TuningId", str)


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the dataset; `answerable` is None where it does not say."""

    text: str
    relevant: tuple[str, ...]
    answers: tuple[str, ...]
    answerable: bool | None

    @property
    def is_measurable(self) -> bool:
        """Whether it says what should be retrieved."""
        return self.answerable is not False and bool(self.relevant or self.answers)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen: how texts are cut, the share of vectors (None: by itself), the least support of an answer."""

    chunking: str
    vector_weight: float | None
    min_support: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures from 0 to 1 of some questions under some settings; None where no question says what is right.

    Attributes:
        questions, unanswerable: how many there are, and of them without an answer.
        holds_gold: how often a right answer stands in the first 1,000 words that are retrieved.
        right: how often an answer is given when there is one and refused when there is none, both counting the same.
        auroc: chance that a question with an answer has more support than one without.
    """

    questions: int
    unanswerable: int
    ndcg_at_10: float | None
    recall_at_5: float | None
    holds_gold: float | None
    right: float | None
    auroc: float | None


@dataclass(frozen=True, slots=True)
class Tuned:
    """Settings chosen on the dev questions; `before` and `after` are of the other questions, which chose nothing."""

    collection: str
    dataset: str
    now: Settings
    chosen: Settings
    dev: Quality
    before: Quality
    after: Quality
    applied: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """The work of choosing: `done` of `total` trials; `tuned` once it is done, `error` why it failed.

    Attributes:
        by: what the dataset calls passages by.
        apply: whether what is chosen is set.
    """

    id: TuningId
    collection: str
    dataset: str
    by: str
    apply: bool
    status: JobStatus
    done: int
    total: int
    message: str
    tuned: Tuned | None
    error: str | None
    created_at: datetime
    created_by: str
    finished_at: datetime | None
