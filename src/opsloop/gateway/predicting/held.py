"""Where the routes for predictions get the model of an arm."""

from __future__ import annotations

from typing import Protocol

from opsloop.gateway.predicting.predictor import Predictor
from opsloop.releases.routing import Arm


class Models(Protocol):
    def model(self, arm: Arm, endpoint: str) -> Predictor:
        """Raises: ReleaseUnusable, NotAModel."""
        ...
