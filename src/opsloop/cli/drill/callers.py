"""Callers of a model endpoint, over HTTP: a row a request, as an application sends them."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

TIMEOUT_S = 30.0
Row = Mapping[str, Any]


class Callers:
    """Args: rows: which they send, in an order of their own, over and over; columns: of these, what a request holds."""

    def __init__(self, url: str, endpoint: str, rows: Sequence[Row], *, columns: Sequence[str]) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
        self._at = f"/endpoints/{endpoint}/predict"
        self._columns = columns
        self.asked = self.failed = 0
        self.send_from(rows)

    def send_from(self, rows: Sequence[Row]) -> None:
        """Send these rows from now on."""
        mixed = random.Random(7).sample(list(rows), len(rows))  # noqa: S311 (repeatable traffic, no secrets)
        self._rows = itertools.cycle([{name: each[name] for name in self._columns} for each in mixed])

    def ask(self, requests: int, *, pause_s: float = 0.0) -> None:
        """Send so many requests, one after the other; one that is not answered is counted."""
        for _ in range(requests):
            self.asked += 1
            try:
                answer = self._http.post(self._at, json={"inputs": [next(self._rows)]})
                self.failed += not answer.is_success
            except httpx.TransportError:
                self.failed += 1
            if pause_s:
                time.sleep(pause_s)

    def close(self) -> None:
        self._http.close()
