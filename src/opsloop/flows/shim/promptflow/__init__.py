"""What flows import from `promptflow`, for installations without it. Written from its public behaviour."""

from promptflow.core import log_metric, tool

__all__ = ["log_metric", "tool"]
