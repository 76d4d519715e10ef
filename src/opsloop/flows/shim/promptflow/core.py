"""`from promptflow.core import tool, log_metric`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from opsloop.flows.metrics import log_metric

F = TypeVar("F", bound=Callable[..., Any])


@overload
def tool(func: F) -> F: ...
@overload
def tool(
    func: None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    type: str | None = None,
    input_settings: Any = None,
    streaming_option_parameter: str | None = None,
    **kwargs: Any,
) -> Callable[[F], F]: ...
def tool(func: Any = None, **about: Any) -> Any:
    """Mark a function as the tool of its file, with or without arguments: `@tool`, `@tool(name="…")`."""

    def mark(function: F) -> F:
        setattr(function, "__tool", None)
        for key in ("name", "description", "type"):
            setattr(function, f"__{key}", about.get(key))
        setattr(function, "__input_settings", about.get("input_settings"))
        return function

    return mark if func is None else mark(func)


class ToolProvider:
    """What a tool class derives from: its constructor takes some of the node's inputs, its `@tool` method the rest."""


__all__ = ["ToolProvider", "log_metric", "tool"]
