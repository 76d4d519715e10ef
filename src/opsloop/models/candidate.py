"""A model that wants to be registered: its files, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsloop.models.models import Parity
from opsloop.models.signature import Signature


@dataclass(frozen=True, slots=True)
class Candidate:
    """Args:
    files: by name, as the bundle has them: `model.onnx`, `baseline.npy`, …
    codes: by text column of the baseline, the categories that its numbers stand for.
    """

    signature: Signature
    files: Mapping[str, bytes]
    parity: Parity
    framework: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
