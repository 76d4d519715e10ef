"""HTTP: why a job or a service failed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened
from opsloop.core.web.wrong_form import fault
from opsloop.incidents.diagnosis import engine, healthy
from opsloop.incidents.diagnosis.engine import Examined
from opsloop.incidents.diagnosis.generating import asking
from opsloop.incidents.diagnosis.models import Diagnosis
from opsloop.incidents.diagnosis.settings import DiagnosisSettings

router = APIRouter(tags=["diagnosis"])
HEALTHY = 5


class DiagnosisRequest(BaseModel):
    """Args: healthy: logs of runs of the same job that passed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    log: str
    provider: str | None = None
    workflow_yaml: str | None = None
    healthy: Annotated[list[str], Field(max_length=HEALTHY)] = []


_BODY = {
    "required": True,
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/json": {"schema": DiagnosisRequest.model_json_schema()},
    },
}


@router.post("/diagnose", openapi_extra={"requestBody": _BODY})
async def diagnose(request: Request, workspace: Opened, caller: Asking) -> Diagnosis:
    """Root cause, steps, patch and evidence lines of a failed log, given as text or as JSON.

    Worded by the model that is set, as far as lines of the log prove it; what it is shown holds no secrets and no
    personal data.
    """
    caller.require(Role.VIEWER)
    settings = workspace.section(DiagnosisSettings)
    provider = asking.provider_of(workspace.settings, settings)
    body = await request.body()
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        examined = await run_in_threadpool(_asked, body, regions=provider is not None)
    elif not body.strip():
        raise InvalidInput(field="body", value="", wanted="the text of a log")
    else:
        examined = await run_in_threadpool(engine.examine, [body], regions=provider is not None)
    return examined.diagnosis if provider is None else await asking.worded(examined, provider, settings)


def _asked(body: bytes, *, regions: bool) -> Examined:
    try:
        asked = DiagnosisRequest.model_validate_json(body)
    except ValidationError as error:
        wrong = fault(error.errors()[0], skip=0)
        raise InvalidInput(wrong.sentence, field=wrong.field) from error
    if not asked.log.strip():
        raise InvalidInput(field="log", value="", wanted="the text of a log")
    passed = [each.encode("utf-8", "replace") for each in asked.healthy]
    return engine.examine(
        [asked.log.encode("utf-8", "replace")],
        named=asked.provider,
        healthy=frozenset().union(*(healthy.forms_of([each]) for each in passed)) if passed else None,
        workflow=asked.workflow_yaml,
        regions=regions,
    )
