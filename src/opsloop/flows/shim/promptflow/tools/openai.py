"""`from promptflow.tools.openai import chat, completion, OpenAI`."""

from __future__ import annotations

from typing import Any

from opsloop.flows.compat.tool_marks import PromptTemplate, ToolProvider, tool
from opsloop.flows.compat.tools import ask_model
from promptflow.connections import OpenAIConnection


def chat(connection: OpenAIConnection, prompt: PromptTemplate, model: str = "", **kwargs: Any) -> Any:
    """The answer of a model to a chat prompt."""
    return ask_model(connection, prompt, model, kwargs, api="chat")


def completion(connection: OpenAIConnection, prompt: PromptTemplate, model: str = "", **kwargs: Any) -> Any:
    """How a model goes on with a text."""
    return ask_model(connection, prompt, model, kwargs, api="completion")


class OpenAI(ToolProvider):
    def __init__(self, connection: OpenAIConnection) -> None:
        super().__init__()
        self.connection = connection

    @tool
    def chat(self, prompt: PromptTemplate, model: str = "", **kwargs: Any) -> Any:
        return chat(self.connection, prompt, model, **kwargs)

    @tool
    def completion(self, prompt: PromptTemplate, model: str = "", **kwargs: Any) -> Any:
        return completion(self.connection, prompt, model, **kwargs)
