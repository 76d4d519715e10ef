from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.intake.work import Work
from opsloop.training import service


def _about(uow: UnitOfWork, payload: Mapping[str, Any]) -> str:
    run = payload.get("training_run")
    return f"pipeline/{payload['pipeline'] if run is None else service.run(uow, run).pipeline}"


WORK = Work(service.KIND, _about)
