"""`from promptflow.tools.aoai import chat, completion, AzureOpenAI`."""

from __future__ import annotations

from typing import Any

from opsloop.flows.compat.tool_marks import PromptTemplate, ToolProvider, tool
from opsloop.flows.compat.tools import ask_model
from promptflow.connections import AzureOpenAIConnection


def chat(connection: AzureOpenAIConnection, prompt: PromptTemplate, deployment_name: str = "", **kwargs: Any) -> Any:
    """The answer of a model to a chat prompt."""
    return ask_model(connection, prompt, deployment_name, kwargs, api="chat")


def completion(
    connection: AzureOpenAIConnection, prompt: PromptTemplate, deployment_name: str = "", **kwargs: Any
) -> Any:
    """How a model goes on with a text."""
    return ask_model(connection, prompt, deployment_name, kwargs, api="completion")


class AzureOpenAI(ToolProvider):
    def __init__(self, connection: AzureOpenAIConnection) -> None:
        super().__init__()
        self.connection = connection

    @tool
    def chat(self, prompt: PromptTemplate, deployment_name: str = "", **kwargs: Any) -> Any:
        return chat(self.connection, prompt, deployment_name, **kwargs)

    @tool
    def completion(self, prompt: PromptTemplate, deployment_name: str = "", **kwargs: Any) -> Any:
        return completion(self.connection, prompt, deployment_name, **kwargs)
