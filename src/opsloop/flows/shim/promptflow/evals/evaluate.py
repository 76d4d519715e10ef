"""`from promptflow.evals.evaluate import evaluate`."""

from __future__ import annotations

from opsloop.flows.compat.evaluate import evaluate

__all__ = ["evaluate"]
