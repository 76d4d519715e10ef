"""HTTP: answers with what people say of them, and golden rows made of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.datasets.models import DatasetVersion
from opsloop.improvement import rated
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.promotions import service as promotions
from opsloop.improvement.promotions.models import Draft, Promotion
from opsloop.improvement.promotions.service import Wanted
from opsloop.improvement.tuning import service as tuning
from opsloop.improvement.tuning.models import TuningData
from opsloop.improvement.weeks import service as weeks
from opsloop.improvement.weeks.models import WeekReport
from opsloop.improvement.weeks.week import parse

router = Router(prefix="/api/feedback", tags=["feedback"])


class PromotionWanted(BaseModel):
    """`answer` is what should have been answered; default: the correction given with feedback. `reason` lets a row in
    that stands in training data or prompts."""

    model_config = ConfigDict(extra="forbid")

    request_id: str
    dataset: str
    answer: str | None = None
    question: str | None = None
    question_column: str | None = None
    answer_column: str | None = None
    expected_base: str | None = None
    reason: str | None = None

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            self.request_id, self.dataset, self.answer, self.question, self.question_column, self.answer_column
        )


class ExportWanted(BaseModel):
    """`format` is openai-chat, preference or dataset; `days` are of when answers were rated."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str
    format: str
    days: float = 90


@router.get("/answers")
def answers(
    uow: Reading,
    endpoint: str | None = None,
    satisfied: bool | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Rated answers, those with the newest feedback first; their texts for developers."""
    found, following = rated.newest(uow, endpoint=endpoint, satisfied=satisfied, before_seq=before, limit=limit)
    return {"items": found, "next": following}


@router.get("/answers/{request_id}")
def answer(uow: Reading, request_id: str) -> RatedAnswer:
    """One answer, with all that is kept of it."""
    return rated.of_request(uow, request_id)


@router.get("/weeks")
def weekly(uow: Reading, limit: Annotated[int, Query(ge=1, le=520)] = 53) -> dict[str, Any]:
    """Weekly reports that are kept, the newest first."""
    return {"items": weeks.listed(uow, limit=limit), "next": None}


@router.get("/weeks/{week}")
def week(uow: Reading, week: str) -> WeekReport:
    """The report of a week such as 2026-W47, or `last` for the newest that is over; of one that goes on, so far."""
    return weeks.report(uow, weeks.last_over(uow.clock.now()) if week == "last" else parse(week))


@router.post("/exports")
def export(uow: Writing, wanted: ExportWanted) -> TuningData:
    """Rated answers as data to fine-tune a model with, and how many were left out for which reason."""
    return tuning.export(uow, wanted.endpoint, wanted.format, days=wanted.days)


@router.post("/promotions/draft")
def draft(uow: Reading, wanted: PromotionWanted) -> Draft:
    """The golden row that a promotion would add, and what speaks against it; nothing is changed."""
    return promotions.draft(uow, wanted.wanted)


@router.post("/promotions", status_code=201)
def promote(uow: Writing, wanted: PromotionWanted) -> Promotion:
    """Make the corrected answer to a request a row of a golden dataset, as a new version of it."""
    return promotions.promote(uow, wanted.wanted, expected_base=wanted.expected_base, reason=wanted.reason)


@router.post("/promotions/{dataset}/undo")
def take_back(uow: Writing, dataset: str) -> DatasetVersion:
    """Let a dataset's name stand for the version before its last promotion."""
    return promotions.take_back(uow, dataset)
