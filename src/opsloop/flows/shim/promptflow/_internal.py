"""`from promptflow._internal import tool, ToolProvider`."""

from promptflow._core.tool import ToolProvider, tool
from promptflow._core.tools_manager import register_apis, register_builtins
from promptflow.exceptions import ErrorResponse, ExceptionPresenter

__all__ = ["ErrorResponse", "ExceptionPresenter", "ToolProvider", "register_apis", "register_builtins", "tool"]
