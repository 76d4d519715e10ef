"""The job that copies a new version to an MLflow server; what fails asks for the next attempt, later each time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.models import bundle as bundles
from opsloop.models import mirroring, service
from opsloop.models.errors import MirrorAway
from opsloop.models.models import ModelVersion
from opsloop.models.settings import ModelSettings

log = structlog.get_logger()
_BY = system("models")
# What a bundle has beside its model that MLflow's users look for; reference rows stay here.
_COPIED = (bundles.MODEL, bundles.METRICS, bundles.IMPORTANCE, bundles.ENVIRONMENT)


@job(mirroring.KIND)
def mirror(context: JobContext, payload: dict[str, Any]) -> None:
    """Raises: MirrorRefused, and MirrorAway after the last attempt."""
    from opsloop.models.mlflow import Mirror  # httpx: only where something is copied

    workspace = context.workspace
    settings = workspace.section(ModelSettings)
    if settings.mlflow_tracking_uri is None:  # it was unset meanwhile
        return
    with workspace.reading(_BY) as uow:
        version = service.get(uow, str(payload["version"]))
    bundle = bundles.of_store(workspace.artifacts, version.digest)
    try:
        with Mirror(settings) as server:
            found = server.copy(version, {name: bundle.file(name) for name in _COPIED if name in bundle})
    except MirrorAway as away:
        reason = away
        if not context.patiently(lambda: _again(context, version, payload, reason)):
            raise
        return
    context.patiently(lambda: _note(context, version, run=found.run, there=found.version))


def _again(context: JobContext, version: ModelVersion, payload: dict[str, Any], reason: MirrorAway) -> bool:
    """Ask for the next attempt; False when this was the last one."""
    attempt = int(payload["attempt"])
    is_last = attempt > len(mirroring.DELAYS_S)
    with context.workspace.writing(_BY) as uow:
        if is_last:
            uow.audit("model.not_mirrored", f"model/{version.ref}", attempts=attempt, error=reason.sentence)
            return False
        later = uow.clock.now() + timedelta(seconds=mirroring.DELAYS_S[attempt - 1])
        following = {**payload, "attempt": attempt + 1}
        id = f"job_{version.id}_mirror_{attempt + 1}"
        jobs.enqueue(uow, mirroring.KIND, following, id=id, run_after=later)
    log.warning("model_not_mirrored_yet", model=version.ref, attempt=attempt, error=reason.sentence)
    return True


def _note(context: JobContext, version: ModelVersion, *, run: str, there: str) -> None:
    with context.workspace.writing(_BY) as uow:
        uow.audit("model.mirrored", f"model/{version.ref}", mlflow_run=run, mlflow_version=there)
    log.info("model_mirrored", model=version.ref, mlflow_run=run, mlflow_version=there)
