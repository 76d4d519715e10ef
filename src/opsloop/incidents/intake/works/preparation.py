from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets.preparation import service
from opsloop.incidents.intake.work import Work


def _about(uow: UnitOfWork, payload: Mapping[str, Any]) -> str:
    run = payload.get("preparation_run")
    return f"preparation/{payload['preparation'] if run is None else service.run(uow, run).preparation}"


WORK = Work(service.KIND, _about)
