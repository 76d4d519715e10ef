"""How the figures of a model are written: few digits, thousands apart."""

from __future__ import annotations

from collections.abc import Mapping


def shown(value: float) -> str:
    """`0.9667`, `50,966`, `2,597,480,000`."""
    return f"{float(f'{value:.6g}'):,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def listed(metrics: Mapping[str, float], most: int) -> str:
    """`accuracy 0.9667, log_loss 0.12`: the first few."""
    return ", ".join(f"{name} {shown(value)}" for name, value in list(metrics.items())[:most])
