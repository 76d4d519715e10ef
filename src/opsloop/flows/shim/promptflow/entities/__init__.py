"""`from promptflow.entities import Run, FlowContext, InputSetting, DynamicList`, and connections."""

from opsloop.flows.compat.flow_objects import FlowContext
from opsloop.flows.compat.tool_marks import DynamicList, InputSetting
from promptflow.connections import *  # noqa: F403
from promptflow.connections import __all__ as _connections

__all__ = ["DynamicList", "FlowContext", "InputSetting", *_connections]
