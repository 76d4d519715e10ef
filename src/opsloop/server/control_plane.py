"""The FastAPI application: every slice's router, and errors as problem documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from opsloop._version import __version__
from opsloop.compliance.api import router as compliance
from opsloop.console.app import router as console
from opsloop.console.problem_page import problem_page, wants_page
from opsloop.core.audit.api import router as audit
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.identity.api import router as identity
from opsloop.core.jobs.api import router as jobs
from opsloop.core.notices.api import router as notices
from opsloop.core.web import problems
from opsloop.core.web.router import Router
from opsloop.core.web.wrong_form import Fault, fault
from opsloop.core.workspace import Workspace
from opsloop.datasets.api import router as datasets
from opsloop.datasets.preparation.api import router as preparations
from opsloop.datasets.publishing.api import router as publications
from opsloop.evaluation.api import router as evaluation
from opsloop.evaluation.judges.api import router as judges
from opsloop.evaluation.tuning.api import router as tuning
from opsloop.feedback.api import router as feedback
from opsloop.feedback.surveys.api import router as surveys
from opsloop.feedback.tickets.api import router as tickets
from opsloop.flows.api import router as flows
from opsloop.flows.run_api import router as flow_runs
from opsloop.guardrails.api import router as guardrails
from opsloop.guardrails.support.api import router as support
from opsloop.improvement.api import router as improvement
from opsloop.improvement.samples.api import router as samples
from opsloop.incidents.anomalies.api import router as anomalies
from opsloop.incidents.api import router as incidents
from opsloop.incidents.diagnosis.api import router as diagnosis
from opsloop.incidents.diagnosis.history.api import router as diagnoses
from opsloop.incidents.topology.api import router as topology
from opsloop.limits.api import router as limits
from opsloop.models.api import router as models
from opsloop.monitoring.alarms.api import router as alarms
from opsloop.monitoring.alerts.api import router as alerts
from opsloop.monitoring.api import router as monitoring
from opsloop.monitoring.dashboards.api import router as dashboards
from opsloop.monitoring.labels.api import router as labels
from opsloop.monitoring.objectives.api import router as objectives
from opsloop.monitoring.telemetry.api import router as traces
from opsloop.monitoring.telemetry.otlp.api import router as telemetry
from opsloop.monitoring.texts.api import router as texts
from opsloop.monitoring.usage.api import router as usage
from opsloop.monitoring.watching_api import router as watching
from opsloop.rag.api import router as rag
from opsloop.rag.ingests.api import router as ingests
from opsloop.releases.api import router as releases
from opsloop.releases.renewals.api import router as renewals
from opsloop.remediation.api import router as remediations
from opsloop.remediation.assistant.api import router as assistant
from opsloop.remediation.slack.api import router as slack
from opsloop.server.health import router as health
from opsloop.training.api import router as training
from opsloop.training.hook import router as training_hook

ROUTERS = (
    health,
    audit,
    identity,
    limits,
    jobs,
    notices,
    datasets,
    preparations,
    publications,
    flows,
    flow_runs,
    rag,
    ingests,
    models,
    training,
    training_hook,
    evaluation,
    judges,
    tuning,
    releases,
    renewals,
    monitoring,
    labels,
    watching,
    usage,
    objectives,
    dashboards,
    alerts,
    alarms,
    texts,
    telemetry,
    traces,
    anomalies,
    feedback,
    guardrails,
    support,
    improvement,
    samples,
    diagnosis,
    diagnoses,
    topology,
    tickets,
    surveys,
    compliance,
    incidents,
    remediations,
    assistant,
    slack,
    console,
)


def control_plane(workspace: Workspace, routers: Sequence[Router] = ROUTERS) -> FastAPI:
    app = FastAPI(
        title="Opsloop",
        version=__version__,
        summary="Take AI applications from a dataset to production and keep them healthy there.",
        docs_url=None,  # Swagger UI would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.workspace = workspace
    for router in routers:
        # Not include_router: it makes each route anew for each application, at the first request that looks for one.
        app.router.routes.extend(router.routes)
    app.add_exception_handler(OpsloopError, _opsloop_error)
    app.add_exception_handler(RequestValidationError, _wrong_form)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault_of_ours)
    return app


async def _opsloop_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpsloopError)
    return _response(request, problems.problem(error, request_id=_request_id(request)), error)


async def _wrong_form(request: Request, error: Exception) -> Response:
    """The first thing that is wrong in the sentence; all of them in `errors`."""
    assert isinstance(error, RequestValidationError)
    faults = [_fault(found) for found in error.errors()]
    first = faults[0]
    document = problems.document_for(422, "invalid-input", first.sentence, request_id=_request_id(request))
    return _response(request, {**document, "kind": "invalid", "errors": [asdict(each) for each in faults[:20]]})


def _fault(found: Any) -> Fault:
    """FastAPI puts first where a value stood: in the body, the query, the path."""
    if found["type"] == "json_invalid":
        return Fault("body", f"not valid JSON at character {found['loc'][-1]}: {found['ctx']['error']}")
    return fault(found, skip=1)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.__cause__ is not None:
        return await _opsloop_error(request, _unreadable_body(error.__cause__))
    slugs = {404: "no-such-route", 405: "method-not-allowed"}
    detail = f"{request.method} {request.url.path}: {error.detail}"
    slug = slugs.get(error.status_code, "http-error")
    document = problems.document_for(error.status_code, slug, detail, request_id=_request_id(request))
    return _response(request, document)


def _unreadable_body(cause: BaseException) -> OpsloopError:
    """What FastAPI only says could not be read."""
    match cause:
        case OpsloopError():
            return cause
        case UnicodeDecodeError():
            return InvalidInput(f"body: not UTF-8 text at byte {cause.start}; wanted JSON", field="body")
        case RecursionError():
            return InvalidInput("body: nested too deeply; wanted JSON of fewer levels", field="body")
        case ValueError():  # Python reads no number of over 4300 digits
            return InvalidInput("body: holds a number that is too long; wanted JSON that can be read", field="body")
        case _:
            return InvalidInput("body: cannot be read; wanted JSON", field="body")


async def _fault_of_ours(request: Request, error: Exception) -> Response:
    """Only that it failed: the error itself goes on to the entrance, which logs it."""
    request_id = _request_id(request)
    detail = f"something went wrong here; the log has it under request {request_id}"
    return _response(request, problems.document_for(500, "internal", detail, request_id=request_id))


def _request_id(request: Request) -> str | None:
    return request.scope.get("opsloop.request_id")


def _response(request: Request, document: dict[str, Any], error: OpsloopError | None = None) -> Response:
    if wants_page(request):
        return problem_page(request, document)
    status = document["status"]
    headers = problems.headers_for(status, error)
    return Response(problems.body_of(document), status_code=status, media_type=problems.MEDIA_TYPE, headers=headers)
