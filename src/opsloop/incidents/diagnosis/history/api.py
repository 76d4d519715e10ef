"""HTTP: what is remembered of a failure that was diagnosed elsewhere. The log itself does not come here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Writing
from opsloop.core.web.router import Router
from opsloop.incidents.diagnosis.history import service
from opsloop.incidents.diagnosis.history.models import Remembered, Told
from opsloop.incidents.diagnosis.settings import DiagnosisSettings

router = Router(tags=["diagnosis"])
Name = Annotated[str, StringConstraints(max_length=300)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class ToldBody(BaseModel):
    """A diagnosis made on another machine, in fingerprints and words."""

    model_config = ConfigDict(extra="forbid")

    has_failed: bool = True
    job: Name = Field("", description="what ran, such as `shop/test.yml`")
    step: Name = ""
    commit: Name = ""
    region: Annotated[list[Fingerprint], Field(max_length=10)] = []
    signature: Name = ""
    category: Name = "unknown"
    root_cause: Annotated[str, StringConstraints(max_length=1_000)] = ""


@router.post("/api/diagnoses")
def told(uow: Writing, body: ToldBody) -> Remembered:
    """Failures that were like this one, what they turned out to be, and whether its step is flaky; keeps it too."""
    one = Told(**body.model_dump() | {"region": tuple(body.region)})
    past = service.recall(uow, one)
    if uow.workspace.section(DiagnosisSettings).diagnosis_keep and uow.by.role.includes(Role.DEVELOPER):
        service.keep(uow, one)
    return past
