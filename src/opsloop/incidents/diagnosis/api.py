"""HTTP: why a job or a service failed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, in_writers_thread
from opsloop.core.web.router import Router
from opsloop.core.web.wrong_form import fault
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.diagnosis import engine, healthy
from opsloop.incidents.diagnosis.engine import Examined
from opsloop.incidents.diagnosis.generating import asking
from opsloop.incidents.diagnosis.generating.day import StoredDay
from opsloop.incidents.diagnosis.history import service as history
from opsloop.incidents.diagnosis.history import telling
from opsloop.incidents.diagnosis.history.models import Remembered, Told
from opsloop.incidents.diagnosis.models import Diagnosis
from opsloop.incidents.diagnosis.settings import DiagnosisSettings

router = Router(tags=["diagnosis"])
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
async def diagnose(
    request: Request,
    workspace: Opened,
    caller: Asking,
    job: Annotated[str, Query(max_length=300, description="what ran, such as `shop/test.yml`")] = "",
    commit: Annotated[str, Query(max_length=300, description="commit that it ran on")] = "",
    incident: Annotated[str | None, Query(description="incident that it belongs to")] = None,
) -> Diagnosis:
    """Root cause, steps, patch and evidence lines of a failed log, given as text or as JSON.

    Worded by the model that is set, as far as lines of the log prove it; what it is shown holds no secrets and no
    personal data. The diagnosis is kept without the log, and says which past ones are like it.
    """
    caller.require(Role.OPERATOR if incident is not None else Role.VIEWER)
    if incident is not None:
        await run_in_threadpool(_need, workspace, caller, incident)
    settings = workspace.section(DiagnosisSettings)
    provider = asking.provider_of(workspace.settings, settings)
    body = await request.body()
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        examined = await run_in_threadpool(_asked, body, regions=provider is not None)
    elif not body.strip():
        raise InvalidInput(field="body", value="", wanted="the text of a log")
    else:
        examined = await run_in_threadpool(engine.examine, [body], regions=provider is not None)
    told = await run_in_threadpool(telling.told, examined.diagnosis, job=job, commit=commit, incident=incident)
    past = await run_in_threadpool(_recalled, workspace, caller, told)
    found = examined.diagnosis
    if provider is not None:
        day = StoredDay(workspace, settings.diagnosis_generate_day_tokens)
        found = await asking.worded(examined, provider, settings, past=past.similar, day=day)
    found = telling.with_past(found, past)
    is_kept = settings.diagnosis_keep and caller.role.includes(Role.DEVELOPER)
    if is_kept or incident is not None:
        await in_writers_thread(_keep, workspace, caller, told if is_kept else None, found, incident)
    return found


def _need(workspace: Workspace, caller: Caller, incident: str) -> None:
    """Raises: NotFound."""
    with workspace.reading(caller) as uow:
        incidents.get(uow, incident)


def _recalled(workspace: Workspace, caller: Caller, told: Told) -> Remembered:
    with workspace.reading(caller) as uow:
        return history.recall(uow, told)


def _keep(workspace: Workspace, caller: Caller, told: Told | None, found: Diagnosis, incident: str | None) -> None:
    with workspace.writing(caller) as uow:
        if told is not None:
            history.keep(uow, told)
        if incident is not None:
            said = f"the log of its job: {found.verdict.value.replace('_', ' ')}, {found.root_cause}"
            incidents.diagnosed(uow, incident, msgspec.to_builtins(found), said=said)


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
