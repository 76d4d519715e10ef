"""What flows import from `promptflow`, for installations without it. Written from its public behaviour."""

from __future__ import annotations

from typing import Any

from promptflow.core import log_metric, tool

__all__ = ["PFClient", "load_flow", "load_run", "log_metric", "tool"]


def __getattr__(name: str) -> Any:
    # Only scripts that drive runs need these, and what runs flows is loaded with them.
    if name in ("PFClient", "load_flow", "load_run"):
        from promptflow import client

        return getattr(client, name)
    raise AttributeError(f"module 'promptflow' has no attribute {name!r}")
