"""A stream of rows to an endpoint beside a platform that runs: what a gateway of its own would ask and record.

It loads the models that the routing table names, answers with the arm that was drawn, asks the candidate in the shadow
where the route says so, and sends the labels over HTTP, as a program does that learns the truth later.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np

from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.models import runtime
from opsloop.monitoring import records
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmKind, Evidence
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.monitoring.models import BESIDE, RequestRecord
from opsloop.releases import routing
from opsloop.releases import service as releases

BY = system("stream")
Row = dict[str, Any]


def flower(draw: random.Random, *, moved: bool) -> Row:
    """Two numbers and whether they have the same sign; a stream that moved brings the other side of zero."""
    a = draw.uniform(-1.0, -0.05) if moved else draw.uniform(0.05, 1.0)
    b = draw.choice((-1, 1)) * draw.uniform(0.05, 1.0)
    return {"a": round(a, 4), "b": round(b, 4), "same": "yes" if a * b > 0 else "no"}


def flowers(number: int, *, moved: bool = False, seed: int = 1) -> list[Row]:
    draw = random.Random(seed)
    return [flower(draw, moved=moved) for _ in range(number)]


@dataclass
class Stream:
    """Args:
    data_dir: of the platform.
    url: where labels are sent.
    """

    data_dir: Path
    url: str
    endpoint: str
    numbers: Any = field(default_factory=lambda: count(1))
    right: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        self.workspace: Workspace = open_workspace(CoreSettings(data_dir=self.data_dir))
        self._models: dict[str, runtime.LoadedModel] = {}

    def close(self) -> None:
        self.workspace.close()

    def send(self, rows: list[Row], *, with_labels: bool = True) -> float:
        """One request for each row, each of a user of its own; the share that was answered right."""
        with self.workspace.reading(BY) as uow:
            route = routing.routing_table(uow).routes[self.endpoint]
        made: list[RequestRecord] = []
        right = 0
        for row in rows:
            number = next(self.numbers)
            arm = routing.choose(route, f"user-{number}")
            answer = self._record(route, arm, row, number)
            made.append(answer)
            right += msgspec.json.decode(answer.predictions) == [row["same"]]
            if route.shadow and route.candidate is not None:
                made.append(self._record(route, route.candidate, row, number, shadow=True))
        with self.workspace.writing(BY) as uow:
            records.ingest(uow, made)
        if with_labels:
            self._label([each for each in made if not each.shadow], rows)
        return right / len(rows)

    def _record(
        self, route: routing.Route, arm: routing.Arm, row: Row, number: int, *, shadow: bool = False
    ) -> RequestRecord:
        values = [row["a"], row["b"]]
        return RequestRecord(
            id=f"stream.{number}{'s' if shadow else ''}",
            request_id=f"q{number}{BESIDE if shadow else ''}",
            endpoint=route.endpoint,
            release=arm.release,
            arm=arm.name,
            rollout=route.rollout,
            candidate_share=route.candidate_share,
            subject=f"user-{number}",
            started_at=self.workspace.clock.now(),
            duration_ms=1.0,
            status="ok",
            rows=1,
            shadow=shadow,
            inputs=msgspec.Raw(json.dumps([values]).encode()),
            predictions=msgspec.Raw(json.dumps(self._model(arm).predict(np.array([values])).values).encode()),
        )

    def _model(self, arm: routing.Arm) -> runtime.LoadedModel:
        if arm.serves_digest not in self._models:
            self._models[arm.serves_digest] = runtime.load(self.workspace, arm.serves_digest)
        return self._models[arm.serves_digest]

    def _label(self, answered: list[RequestRecord], rows: list[Row]) -> None:
        given = [
            {"request_id": record.request_id, "label": row["same"]} for record, row in zip(answered, rows, strict=True)
        ]
        at = f"{self.url}/endpoints/{self.endpoint}/labels"
        answer = httpx.post(at, json={"labels": given}, trust_env=False, timeout=30.0)
        assert answer.status_code in (200, 201, 202), answer.text

    def alarm(self) -> str:
        """What the endpoint's watch raises when its rows have moved."""
        with self.workspace.writing(BY) as uow:
            stable = releases.endpoint(uow, self.endpoint).stable
            assert stable is not None
            said = "a moved below everything that the model learned from"
            evidence = Evidence(feature="a", sentence=said, score=1.4, since_at=uow.clock.now())
            found = alarms.raise_alarm(
                uow,
                AlarmKind.DRIFT,
                endpoint=self.endpoint,
                release=stable.id,
                model=stable.serves,
                evidence=evidence,
            )
            assert found is not None
            uow.emit(DriftDetected(found.id, self.endpoint, stable.id, stable.serves, "a", said, 1.4))
        return found.id
