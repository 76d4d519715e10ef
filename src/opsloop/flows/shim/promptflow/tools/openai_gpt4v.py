"""`promptflow.tools.openai_gpt4v`: a chat with images."""

from __future__ import annotations

from typing import Any

from opsloop.flows.compat.tool_marks import PromptTemplate, ToolProvider, tool
from opsloop.flows.compat.tools import ask_model
from promptflow.connections import OpenAIConnection


class OpenAI(ToolProvider):
    def __init__(self, connection: OpenAIConnection) -> None:
        super().__init__()
        self.connection = connection

    @tool
    def chat(self, prompt: PromptTemplate, model: str = "", detail: str = "auto", **kwargs: Any) -> Any:
        return ask_model(self.connection, prompt, model, kwargs, api="chat", detail=detail)
