"""Load the model of an arm, and the watch of its release."""

from __future__ import annotations

import structlog

from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import Workspace
from opsloop.gateway.predicting.predictor import Predictor, Watching
from opsloop.gateway.settings import GatewaySettings
from opsloop.models import runtime
from opsloop.models.runtime import LoadedModel
from opsloop.monitoring import metrics
from opsloop.monitoring.drift.watch import Watch
from opsloop.releases.routing import Arm

log = structlog.get_logger()
DRIFT = "drift"
"""Key of a release's configuration that says how drift is watched."""


def predictor_of(workspace: Workspace, arm: Arm, endpoint: str) -> Predictor:
    """Slow. Raises: ArtifactMissing, ModelFileBroken, NoCertificate."""
    metrics.drift_events.labels(endpoint)  # so that it is there before the first one
    model = runtime.load(workspace, arm.serves_digest)
    return Predictor(
        model, _watch(workspace, arm, endpoint, model), rows=workspace.section(GatewaySettings).predict_rows
    )


def _watch(workspace: Workspace, arm: Arm, endpoint: str, model: LoadedModel) -> Watching | None:
    """None where drift cannot be watched: the model serves all the same, and the log says why."""
    try:
        return Watch.of(workspace, endpoint, arm.release, model, arm.config.get(DRIFT), serves=arm.serves)
    except OpsloopError as error:
        log.warning("drift_not_watched", endpoint=endpoint, release=arm.release, reason=error.sentence)
    except Exception:  # a watch that fails must not keep its model from serving
        log.exception("drift_not_watched", endpoint=endpoint, release=arm.release)
    return None
