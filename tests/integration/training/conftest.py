"""A platform with flowers to learn from, and a pipeline that is quick about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events._tables import OutboxRow
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.training import jobs, service
from opsloop.training.models import Pipeline, TrainingRun

assert jobs  # registers the job

QUICK: dict[str, Any] = {
    "dataset": "flowers",
    "target": "kind",
    "task": "classification",
    "features": ["length", "width"],
    "steps": ["scale", "logistic_regression"],
    "cross_validation": {"folds": 2},
}

MAKE = (
    "from sklearn.tree import DecisionTreeClassifier\n\n\ndef make():\n    return DecisionTreeClassifier(max_depth=2)\n"
)


def flowers(count: int = 60, *, shift: float = 0.0) -> list[dict[str, Any]]:
    """Flowers of two kinds, the second one larger."""
    return [
        {
            "length": round(1.0 + place % 2 + 0.013 * (place % 7) + shift, 3),
            "width": round(0.2 + 0.3 * (place % 2) + 0.011 * (place % 5), 3),
            "at": f"2026-{1 + place // 28:02d}-{1 + place % 28:02d}",
            "kind": "large" if place % 2 else "small",
        }
        for place in range(count)
    ]


@dataclass
class Garden:
    """A workspace and what tests do with it."""

    workspace: Workspace
    by: Caller
    clock: FakeClock

    def register(self, rows: Sequence[dict[str, Any]], name: str = "flowers") -> str:
        data = "\n".join(json.dumps(row) for row in rows).encode()
        with self.workspace.writing(self.by) as uow:
            return datasets.register(uow, name, "flowers.jsonl", data).ref

    def put(self, name: str = "flowers", *, code: dict[str, str] | None = None, **changed: Any) -> Pipeline:
        """Args: changed: keys of the declaration; `...` takes one out."""
        declared = {key: value for key, value in {**QUICK, **changed}.items() if value is not ...}
        with self.workspace.writing(self.by) as uow:
            return service.put(uow, name, declared, code=code)

    def start(self, name: str = "flowers", **how: Any) -> TrainingRun:
        with self.workspace.writing(self.by) as uow:
            return service.start(uow, name, **how)

    def trained(self, name: str = "flowers", **how: Any) -> TrainingRun:
        """A run, over."""
        run = self.start(name, **how)
        self.work()
        return self.run(run.id)

    def work(self) -> int:
        return run_due(self.workspace, kind=service.KIND)

    def run(self, run: str) -> TrainingRun:
        with self.workspace.reading(self.by) as uow:
            return service.run(uow, run)

    def runs(self, name: str = "flowers") -> list[TrainingRun]:
        with self.workspace.reading(self.by) as uow:
            return service.runs(uow, pipeline=name)


def garden_of(workspace: Workspace, by: Caller, clock: FakeClock) -> Garden:
    garden = Garden(workspace, by, clock)
    garden.register(flowers())
    garden.put()
    return garden


@pytest.fixture
def garden(sqlite_workspace: Workspace, admin: Caller, clock: FakeClock) -> Garden:
    return garden_of(sqlite_workspace, admin, clock)


def events(garden: Garden) -> list[tuple[str, dict[str, Any]]]:
    with garden.workspace.reading(garden.by) as uow:
        rows = uow.session.scalars(select(OutboxRow).order_by(OutboxRow.seq)).all()
        return [(row.type, row.payload) for row in rows if row.type.startswith("training.")]
