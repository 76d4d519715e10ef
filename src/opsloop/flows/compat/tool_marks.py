"""How users mark their tools, and the types that tools are written with."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])


class Secret(str):
    """Text that is not shown."""

    def set_secret_name(self, name: str) -> None:
        self.secret_name = name


class FilePath(str):
    """The path of a file of the flow."""


class PromptTemplate(str):
    """A prompt before its values are put in."""


class ToolType(StrEnum):
    LLM = "llm"
    PYTHON = "python"
    CUSTOM_LLM = "custom_llm"
    PROMPT = "prompt"


class ToolProvider:
    """What a tool class derives from: its constructor takes some of the node's inputs, its `@tool` method the rest."""


class DynamicList:
    """Where an editor gets the choices for an input; a run does not ask."""

    def __init__(self, function: Any = None, input_mapping: dict[str, str] | None = None, **_: Any) -> None:
        self.function = function
        self.input_mapping = input_mapping or {}


class InputSetting:
    """What an editor knows of an input; a run does not ask."""

    def __init__(self, **about: Any) -> None:
        self.about = about


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
