"""When a new version is copied to an MLflow server: after it is registered, by a job that tries again."""

from __future__ import annotations

from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.models.settings import ModelSettings

KIND = "models.mirror"
DELAYS_S = (5, 30, 120, 600, 3_600, 6 * 3_600)
"""How long after each attempt that failed the next one is made; after the last the copy is given up."""


def wanted(uow: UnitOfWork, id: str, ref: str) -> None:
    """Have a version copied once this transaction is committed; nothing when no server is set."""
    if uow.workspace.section(ModelSettings).mlflow_tracking_uri is not None:
        jobs.enqueue(uow, KIND, {"version": ref, "attempt": 1}, id=f"job_{id}_mirror")
