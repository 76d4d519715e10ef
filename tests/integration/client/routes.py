"""The slices' real routes, with a caller who may do everything; the door in front of them has its own tests."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from opsloop.core.audit.api import router as audit
from opsloop.core.caller import Caller
from opsloop.core.errors import OpsloopError
from opsloop.core.identity.api import router as identity
from opsloop.core.jobs.api import router as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.web import problems
from opsloop.core.workspace import Workspace
from opsloop.datasets.api import router as datasets
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.evaluation.api import router as evaluation
from opsloop.evaluation.tuning import jobs as tuning_jobs  # noqa: F401 (registers what a tuning runs as)
from opsloop.evaluation.tuning.api import router as tuning
from opsloop.feedback.api import router as feedback
from opsloop.feedback.surveys.api import router as surveys
from opsloop.feedback.tickets.api import router as tickets
from opsloop.flows.api import router as flows
from opsloop.guardrails.api import router as guardrails
from opsloop.improvement.api import router as improvement
from opsloop.improvement.samples.api import router as samples
from opsloop.incidents.anomalies.api import router as anomalies
from opsloop.incidents.api import router as incidents
from opsloop.incidents.topology.api import router as topology
from opsloop.limits.api import router as limits
from opsloop.models.api import router as models
from opsloop.monitoring.alarms.api import router as alarms
from opsloop.monitoring.alerts.api import router as alerts
from opsloop.monitoring.api import router as monitoring
from opsloop.monitoring.labels.api import router as labels
from opsloop.monitoring.objectives.api import router as objectives
from opsloop.monitoring.telemetry.api import router as traces
from opsloop.monitoring.watching_api import router as watching
from opsloop.rag.api import router as rag
from opsloop.rag.ingests import jobs as ingest_jobs  # noqa: F401 (registers what an ingest runs as)
from opsloop.rag.ingests.api import router as ingests
from opsloop.releases.api import router as releases


class Routes:
    def __init__(self, workspace: Workspace, caller: Caller) -> None:
        assert evaluation_jobs  # imported: it registers the handler
        self._caller = caller
        self._workspace = workspace
        self._app = FastAPI()
        self._app.state.workspace = workspace
        said = (improvement, incidents, samples, surveys, tickets)
        watched = (monitoring, labels, watching, objectives, alerts, alarms, traces, anomalies, topology)
        documents = (rag, tuning, ingests)
        for router in (
            *(
                limits,
                audit,
                identity,
                jobs,
                datasets,
                evaluation,
                feedback,
                flows,
                guardrails,
                models,
                *watched,
                *said,
                *documents,
                releases,
            ),
        ):
            self._app.router.routes.extend(router.routes)
        self._app.add_exception_handler(OpsloopError, _problem)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = self._caller
        await self._app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "POST":
            # A platform's worker would do it a moment later.
            for kind in ("evaluation.run", "evaluation.tuning"):
                await run_in_threadpool(partial(run_due, self._workspace, kind=kind))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpsloopError)
    document = problems.problem(error)
    return Response(problems.body_of(document), document["status"], media_type=problems.MEDIA_TYPE)
