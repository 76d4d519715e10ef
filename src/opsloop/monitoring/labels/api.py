"""HTTP: labels of predicted rows."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.monitoring.labels import service
from opsloop.monitoring.labels.models import GivenLabel, Said

router = Router(tags=["monitoring"])


class LabelGiven(BaseModel):
    """What a row was. A value of the wrong type is answered for this label, and the others are kept."""

    model_config = ConfigDict(extra="forbid")

    request_id: Any = Field(description="of the answer, a text")
    row: Any = Field(0, description="of the request's rows, from 0")
    label: Any = Field(description="a class, or a number")


class LabelsGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labels: Annotated[list[LabelGiven], Field(min_length=1, max_length=service.MOST)]


@router.post("/endpoints/{name}/labels")
def add(uow: Writing, name: str, given: LabelsGiven) -> dict[str, Any]:
    """Say what predicted rows really were, up to 10,000 at once; the answer says of each what became of it."""
    service.refuse_unknown(uow, name)
    labels = [GivenLabel(each.request_id, each.label, each.row) for each in given.labels]
    answers = service.add(uow, name, labels)
    counts = Counter(each.outcome for each in answers)
    return {**{said.value: counts[said] for said in Said}, "labels": answers}


@router.get("/api/endpoints/{name}/labels")
def counts(uow: Reading, name: str) -> dict[str, Any]:
    """How many labels an endpoint has: beside their predictions, waiting for them, and refused."""
    return {"endpoint": name, **{state.value: count for state, count in service.counts(uow, name).items()}}
