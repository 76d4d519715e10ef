"""A logistic model over hashed buckets whose weights are bytes: no library, some hundred microseconds a passage.

A weights file is one line of JSON (`scale`, `bias`, `threshold`, and what it was made from), then one signed byte for
each bucket.
"""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import dataclass
from pathlib import Path

from opsloop.guardrails.wording.features import BUCKETS, buckets


@dataclass(frozen=True, slots=True)
class Model:
    """Args: threshold: the probability from which on a passage counts as found."""

    weights: array[int]
    scale: float
    bias: float
    threshold: float

    def probability(self, plain: str) -> float:
        """How likely a plain passage is of the model's kind. The features have the length 1, as in training."""
        found = buckets(plain)
        if not found:
            return 0.0
        weights = self.weights
        margin = self.scale * sum([weights[each] for each in found]) / math.sqrt(len(found)) + self.bias
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, margin))))


def read(file: Path) -> Model:
    """Raises: ValueError when the file is not of the form."""
    head, _, body = file.read_bytes().partition(b"\n")
    said = json.loads(head)
    weights = array("b", body)
    if len(weights) != BUCKETS:
        raise ValueError(f"{file.name} has {len(weights)} weights, not {BUCKETS}")
    return Model(weights, said["scale"], said["bias"], said["threshold"])
