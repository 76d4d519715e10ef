"""A chat provider that says what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from opsloop.llm.port import Completion, Embedding, Message


class Scripted:
    """Answers in their order, the last one again and again; an error is raised, of a stream after its first piece."""

    engine = "scripted"
    model = "scripted"

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[Sequence[Message]] = []

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        return Completion(self._next(messages), self.model)

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        text = self._next(messages)
        for at in range(0, len(text), 7):
            yield text[at : at + 7]
        yield Completion(text, self.model)

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self.chat([{"role": "user", "content": prompt}])

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        raise NotImplementedError

    def _next(self, messages: Sequence[Message]) -> str:
        self.asked.append(messages)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
