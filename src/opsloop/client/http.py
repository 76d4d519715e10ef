"""The client: everything a platform does, as typed calls.

with Client() as client:                              # the project in this folder, or the server OPSLOOP_URL names
    version = client.datasets.register("golden", Path("golden.jsonl"))

with Client("https://ops.example.com", token="opl_…") as client:
    client.endpoints.listed()
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import httpx

from opsloop.client import local, project
from opsloop.client.alerts import Alerts
from opsloop.client.anomalies import Anomalies
from opsloop.client.audit import Audit
from opsloop.client.connection import Connection
from opsloop.client.dataset_checks import DatasetChecks
from opsloop.client.datasets import Datasets
from opsloop.client.diagnoses import Diagnoses
from opsloop.client.documents import Documents
from opsloop.client.endpoints import Endpoints
from opsloop.client.evaluations import Evaluations
from opsloop.client.feedback import Feedback
from opsloop.client.flows import Flows
from opsloop.client.freezes import Freezes
from opsloop.client.guardrails import Guarding
from opsloop.client.incidents import Incidents
from opsloop.client.jobs import Jobs
from opsloop.client.judges import Judges
from opsloop.client.keys import Keys
from opsloop.client.limits import Limits
from opsloop.client.models import Models
from opsloop.client.monitoring import Monitoring
from opsloop.client.objectives import Objectives
from opsloop.client.preparations import Preparations
from opsloop.client.remediations import Remediations
from opsloop.client.renewals import Renewals
from opsloop.client.rollouts import Rollouts
from opsloop.client.settings import ClientSettings
from opsloop.client.support import Support
from opsloop.client.surveys import Surveys
from opsloop.client.tickets import Tickets
from opsloop.client.traces import Traces
from opsloop.client.training import Training
from opsloop.client.usage import Usage
from opsloop.client.watching import Watching
from opsloop.core import settings


class Client:
    """Talks to one platform; close it, or use it as a context manager.

    Args:
        base_url: the server; default: OPSLOOP_URL; without that, the platform of the project in this folder, in this
            process unless one is running already.
        token: API key; default: OPSLOOP_TOKEN.
        project: folder of the project for local mode; default: the nearest with an `opsloop.yaml`.
        transport: how requests travel, for tests.

    Raises: ServerUnreachable at the first call when nobody answers; what opening the project raises.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        project: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        found = settings.read(ClientSettings)
        token = token or found.token
        where = base_url or found.url
        # Whether the platform reads the files of the project in this folder itself.
        self.is_local = not where
        if not where:
            where, transport = _local(project)
        self.connection = Connection(where, token=token, timeout_s=found.client_timeout_s, transport=transport)
        self.alerts = Alerts(self.connection)
        self.audit = Audit(self.connection)
        self.datasets = Datasets(self.connection)
        self.dataset_checks = DatasetChecks(self.connection)
        self.diagnoses = Diagnoses(self.connection)
        self.documents = Documents(self.connection)
        self.endpoints = Endpoints(self.connection)
        self.evaluations = Evaluations(self.connection)
        self.feedback = Feedback(self.connection)
        self.flows = Flows(self.connection)
        self.guardrails = Guarding(self.connection)
        self.freezes = Freezes(self.connection)
        self.jobs = Jobs(self.connection)
        self.judges = Judges(self.connection)
        self.keys = Keys(self.connection)
        self.limits = Limits(self.connection)
        self.models = Models(self.connection)
        self.monitoring = Monitoring(self.connection)
        self.usage = Usage(self.connection)
        self.watching = Watching(self.connection)
        self.objectives = Objectives(self.connection)
        self.preparations = Preparations(self.connection)
        self.renewals = Renewals(self.connection)
        self.rollouts = Rollouts(self.connection)
        self.incidents = Incidents(self.connection)
        self.remediations = Remediations(self.connection)
        self.support = Support(self.connection)
        self.surveys = Surveys(self.connection)
        self.tickets = Tickets(self.connection)
        self.traces = Traces(self.connection)
        self.anomalies = Anomalies(self.connection)
        self.training = Training(self.connection)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _local(folder: Path | None) -> tuple[str, httpx.BaseTransport | None]:
    """Where the project's platform is, and how to get there."""
    found = project.nearest(folder)
    running = local.running_at(found)
    return (running, None) if running is not None else (local.IN_PROCESS_URL, local.in_process(found))
