"""Flows written for one test, and a provider that is told what to answer."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.llm.port import Completion, Embedding, Message, Usage

WriteFlow = Callable[..., Path]


@pytest.fixture
def write_flow(tmp_path: Path) -> WriteFlow:
    """Write a flow: `write_flow(dag, **{"answer.py": code}, folder="name")`."""

    def write(dag: str, *, folder: str = "demo", **files: str) -> Path:
        place = tmp_path / folder
        for name, text in {"flow.dag.yaml": dag, **files}.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), "utf-8")
        return place

    return write


class ScriptedModel:
    """A chat provider that gives the same answer to everything and remembers what it was asked."""

    engine = "scripted"
    model = "scripted-1"

    def __init__(self, text: str = "scripted answer", usage: Usage | None = None) -> None:
        self.text = text
        self.usage = usage
        self.asked: list[tuple[list[Message], dict[str, Any]]] = []

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        self.asked.append((list(messages), parameters))
        return Completion(self.text, self.model, self.usage)

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        completion = await self.chat(messages, **parameters)
        for word in completion.text.split(" "):
            yield word
        yield completion

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self.chat([{"role": "user", "content": prompt}], **parameters)

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        return Embedding([[1.0, 0.0] for _ in texts], self.model, self.usage)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(usage=Usage(10, 5))
