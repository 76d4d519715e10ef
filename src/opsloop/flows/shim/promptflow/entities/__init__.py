"""`from promptflow.entities import Run, FlowContext, InputSetting, DynamicList`, and connections."""

from __future__ import annotations

from typing import Any

from opsloop.flows.compat.flow_objects import FlowContext
from opsloop.flows.compat.tool_marks import DynamicList, InputSetting
from promptflow.connections import *  # noqa: F403
from promptflow.connections import __all__ as _connections

__all__ = ["DynamicList", "FlowContext", "InputSetting", "Run", *_connections]  # noqa: F405  (found below when asked for)


def __getattr__(name: str) -> Any:
    # Only scripts that drive runs need it, and what runs batches is loaded with it.
    if name == "Run":
        from opsloop.flows.compat.run_entity import Run

        return Run
    raise AttributeError(f"module 'promptflow.entities' has no attribute {name!r}")
