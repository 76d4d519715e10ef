"""`from promptflow._core.tool import InputSetting, tool`."""

from opsloop.flows.compat.tool_marks import DynamicList, InputSetting, ToolProvider, ToolType, tool

__all__ = ["DynamicList", "InputSetting", "ToolProvider", "ToolType", "tool"]
