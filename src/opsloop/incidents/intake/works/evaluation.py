from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.incidents.intake.work import Work


def _about(uow: UnitOfWork, payload: Mapping[str, Any]) -> str:
    return f"experiment/{service.row_of(uow, service.runs_of_job(payload)[0]).experiment}"


WORK = Work(service.KIND, _about)
