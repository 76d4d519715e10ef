"""HTTP: tune a collection."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Asking, Opened
from opsloop.evaluation.tuning import service
from opsloop.evaluation.tuning.models import Tuned

router = APIRouter(prefix="/api/collections", tags=["documents"])


class Tune(BaseModel):
    """`by`: what the dataset calls passages by; `apply`: set what was chosen."""

    model_config = ConfigDict(extra="forbid")
    dataset: str
    by: str = service.KNOWN_BY[0]
    apply: bool = False


@router.post("/{name}/tune")
def tune(workspace: Opened, caller: Asking, name: str, wanted: Tune) -> Tuned:
    """Choose settings on one half of a dataset's questions and report on the other half; takes minutes."""
    return service.tune(workspace, caller, name, wanted.dataset, by=wanted.by, apply=wanted.apply)
