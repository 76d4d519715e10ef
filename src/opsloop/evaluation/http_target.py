"""A service over HTTP as a flow: what an evaluation sends rows to that stand behind an endpoint or any address.

This file is put into a flex flow beside its `flow.flex.yaml`, which names inputs and outputs.
"""

from __future__ import annotations

import os
from typing import Any

import httpx

SHOWN_CHARS = 300


class HttpTarget:
    """Args:
    url: of the service; for `openai` what comes before /chat/completions.
    speaks: `invoke` or `openai`.
    model: as the service calls it, for `openai`.
    key_variable: environment variable with its key; empty for none.
    needs_key: whether nobody is let in without it.
    timeout_s: longest time of an answer, in seconds.
    """

    def __init__(self, url: str, speaks: str, model: str, key_variable: str, needs_key: bool, timeout_s: float) -> None:
        self.url = url
        self.speaks = speaks
        self.model = model
        self.key_variable = key_variable
        self.needs_key = needs_key
        self.timeout_s = timeout_s

    async def __call__(self, **inputs: Any) -> dict:  # type: ignore[type-arg]  # as a flow types it
        is_chat = self.speaks == "openai"
        body = {"model": self.model, "messages": messages(inputs)} if is_chat else {"inputs": inputs}
        async with httpx.AsyncClient(timeout=self.timeout_s) as http:
            answer = await http.post(self.place(), json=body, headers=self.headers())
        if answer.status_code != 200:
            raise RuntimeError(f"{self.place()} answered {answer.status_code}: {answer.text[:SHOWN_CHARS]}")
        said = answer.json()
        if is_chat:
            return {"answer": said["choices"][0]["message"]["content"]}
        outputs = said.get("outputs", said) if isinstance(said, dict) else {"output": said}
        return outputs if isinstance(outputs, dict) else {"output": outputs}

    def place(self) -> str:
        return f"{self.url.rstrip('/')}/chat/completions" if self.speaks == "openai" else self.url

    def headers(self) -> dict[str, str]:
        key = os.environ.get(self.key_variable) if self.key_variable else None
        if not key and not self.needs_key:
            return {}
        if not key:
            raise RuntimeError(
                f"the environment variable {self.key_variable} is not set, so {self.url} cannot be asked"
            )
        return {"Authorization": f"Bearer {key}"}


def messages(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation in a row: its messages, or its history and its question."""
    if isinstance(inputs.get("messages"), list):
        return list(inputs["messages"])
    history = [each for each in inputs.get("chat_history") or [] if isinstance(each, dict) and "role" in each]
    asked = inputs.get("question", next((value for value in inputs.values() if isinstance(value, str)), ""))
    return [*history, {"role": "user", "content": asked}]
