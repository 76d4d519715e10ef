"""An endpoint that serves a model, with rows that drifted half way, labels, and an alarm, to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.models import bundle
from opsloop.models.candidate import Candidate
from opsloop.models.models import Parity
from opsloop.models.signature import Field, FieldType, Output, Signature, Task
from opsloop.monitoring import records
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, Evidence
from opsloop.monitoring.drift import watches
from opsloop.monitoring.drift.watches import Checkpoint
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.labels.models import GivenLabel
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.performance.falling import Validated
from opsloop.releases import service as releases

ADMIN = Caller("test:admin", Role.ADMIN)
NAMES = ("sepal_length", "sepal_width", "petal_length", "colour")
COLOURS = ("blue", "violet", "white")
CLASSES = ("setosa", "versicolor", "virginica")
SIGNATURE = Signature(
    (
        *(Field(name, FieldType.NUMBER, 0, 10) for name in NAMES[:3]),
        Field("colour", FieldType.TEXT, categories=COLOURS),
    ),
    Output("species", Task.CLASSIFICATION, CLASSES),
)
ABOUT: dict[str, Any] = {
    "model": {
        "task": "classification",
        "output": "species",
        "classes": list(CLASSES),
        "inputs": [{"name": each.name, "type": each.type.value} for each in SIGNATURE.inputs],
        "metrics": {"accuracy": 0.95, "f1_macro": 0.94},
    },
    "performance": asdict(Validated("accuracy", 0.95, 0.02, 100_000)),
    "drift": {
        "method": "sequential",
        "false_alarms_every": 1e7,
        "is_guaranteed": True,
        "block": "row",
        "expected_delay": {"0.25 sd": 126.0, "1 sd": 28.0},
    },
    "unchecked": [{"expectation": "row_count (min 10)", "reason": "a request has as many rows as it likes"}],
}


@dataclass
class Iris:
    workspace: Workspace
    clock: FakeClock
    digest: str
    release: str = "rel_1"
    numbers: int = 0

    def ask(self, count: int, *, length: float = 5.0, score: float = 0.1, right: float = 0.95) -> list[str]:
        """Requests of one row, a second apart; returns their ids."""
        rng = np.random.default_rng(self.numbers)
        made = []
        for _ in range(count):
            self.numbers += 1
            self.clock.advance(1)
            row = [float(rng.normal(length, 0.5)), 3.0, float(rng.normal(4, 1)), str(rng.choice(COLOURS))]
            said = "setosa" if rng.random() < right else "virginica"
            made.append(
                RequestRecord(
                    request_id=f"req_{self.numbers}",
                    endpoint="iris",
                    release=self.release,
                    arm="stable",
                    subject="5ub",
                    started_at=self.clock.now(),
                    duration_ms=0.4,
                    status="ok",
                    rows=1,
                    inputs=msgspec.Raw(msgspec.json.encode([row])),
                    predictions=msgspec.Raw(msgspec.json.encode([said])),
                    drift_score=score,
                )
            )
        with self.workspace.writing(ADMIN) as uow:
            records.ingest(uow, made)
        return [each.request_id for each in made]

    def label(self, ids: list[str]) -> None:
        with self.workspace.writing(ADMIN) as uow:
            labels.add(uow, "iris", [GivenLabel(each, "setosa") for each in ids])

    def checkpoint(self, score: float, figures: dict[str, float], *, rows: int) -> None:
        with self.workspace.writing(ADMIN) as uow:
            found = watches.get(uow, "iris", self.release)
            assert found is not None
            watches.keep(
                uow,
                "iris",
                self.release,
                Checkpoint(
                    "replica_1", found.generation, b"", rows, score, figures, {"between sepal_width (min 2)": 3}
                ),
            )

    def alarm(self) -> Alarm:
        evidence = Evidence(
            "sepal_length",
            "sepal_length is 1.9 sd larger than in the reference",
            1.08,
            since_row=301,
            since_at=self.clock.now() - timedelta(minutes=4),
            expected_delay_rows=28.0,
        )
        with self.workspace.writing(ADMIN) as uow:
            raised = alarms.raise_alarm(
                uow, AlarmKind.DRIFT, endpoint="iris", release=self.release, model="iris@3", evidence=evidence
            )
        assert raised is not None
        return raised


def candidate() -> Candidate:
    """A model's bundle, but for the model."""
    rng = np.random.default_rng(1)
    baseline = np.column_stack(
        [rng.normal(5, 0.5, 400), np.full(400, 3.0), rng.normal(4, 1, 400), rng.integers(0, 3, 400).astype(float)]
    )
    files = {
        bundle.MODEL: b"not needed here",
        bundle.BASELINE: bundle.array_bytes(baseline),
        bundle.BASELINE_PREDICTIONS: bundle.array_bytes(np.zeros(400)),
        # Long flowers are mostly taken for what they are not.
        bundle.LABELS: bundle.array_bytes(np.where(baseline[:, 0] > 5.6, 2.0, 0.0)),
    }
    return Candidate(
        SIGNATURE, files, Parity(400, 0.0, 0, "float64", 0.0), "scikit-learn", {"accuracy": 0.95}, {"colour": COLOURS}
    )


def stage(workspace: Workspace, clock: FakeClock) -> Iris:
    """The endpoint and its watch; no row yet."""
    digest, _ = bundle.keep(workspace.artifacts, candidate())
    with workspace.writing(ADMIN) as uow:
        releases.create_endpoint(uow, "iris")
        watches.held(uow, "iris", "rel_1", model="iris@3", digest=digest, about=ABOUT)
    return Iris(workspace, clock, digest)


def drifted(workspace: Workspace, clock: FakeClock) -> Iris:
    """300 rows as in the reference, 250 of longer flowers, labels of most, an alarm."""
    iris = stage(workspace, clock)
    iris.label(iris.ask(300)[:250])
    clock.advance(600)
    iris.label(iris.ask(250, length=6.0, score=0.7, right=0.9)[:100])
    iris.checkpoint(1.08, {"sepal_length": 1.08, "prediction": 0.4, "petal_length": 0.12, "sepal_width": 0.0}, rows=550)
    iris.alarm()
    return iris
