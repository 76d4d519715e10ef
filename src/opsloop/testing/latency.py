"""How long an answer takes: always the same, or drawn between two bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from zlib import crc32

Latency: TypeAlias = float | Sequence[float]
"""Milliseconds: the same for every call, or two bounds."""


def drawn_ms(latency_ms: Latency, *, digest: str, times: int, seed: int) -> float:
    """Chance comes from what is asked and how often it was, not from which call came first: runs can be repeated."""
    if isinstance(latency_ms, int | float):
        return latency_ms
    low, high = latency_ms
    return low + (high - low) * crc32(f"{digest} {times}".encode(), seed) / 2**32
