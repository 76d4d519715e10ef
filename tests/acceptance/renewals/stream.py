"""A stream of rows to an endpoint of a platform that runs, as a program sends them: rows, and later what they were."""

from __future__ import annotations

import random
from typing import Any

import httpx

Row = dict[str, Any]
PATIENCE_S = 60.0


def flower(draw: random.Random, *, moved: bool) -> Row:
    """Two numbers and whether they have the same sign; a stream that moved brings the other side of zero."""
    a = draw.uniform(-1.0, -0.05) if moved else draw.uniform(0.05, 1.0)
    b = draw.choice((-1, 1)) * draw.uniform(0.05, 1.0)
    return {"a": round(a, 4), "b": round(b, 4), "same": "yes" if a * b > 0 else "no"}


def flowers(number: int, *, moved: bool = False, seed: int = 1) -> list[Row]:
    draw = random.Random(seed)
    return [flower(draw, moved=moved) for _ in range(number)]


class Stream:
    """Args: url: of the platform; it may be killed and started again between two calls."""

    def __init__(self, url: str, endpoint: str) -> None:
        self._url = url
        self._at = f"/endpoints/{endpoint}"
        self.answers: list[dict[str, Any]] = []

    def send(self, rows: list[Row], *, with_labels: bool = True) -> float:
        """One request for each row; the share that was answered right."""
        with httpx.Client(base_url=self._url, trust_env=False, timeout=PATIENCE_S) as http:
            self.answers = [self._asked(http, row) for row in rows]
            if with_labels:
                self._label(http, rows)
        right = sum(answer["predictions"] == [row["same"]] for answer, row in zip(self.answers, rows, strict=True))
        return float(right) / len(rows)

    def _asked(self, http: httpx.Client, row: Row) -> dict[str, Any]:
        answer = http.post(f"{self._at}/predict", json={"inputs": [[row["a"], row["b"]]]})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _label(self, http: httpx.Client, rows: list[Row]) -> None:
        given = [
            {"request_id": answer["request_id"], "label": row["same"]}
            for answer, row in zip(self.answers, rows, strict=True)
        ]
        answer = http.post(f"{self._at}/labels", json={"labels": given})
        assert answer.status_code in (200, 201, 202), answer.text
