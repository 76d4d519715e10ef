"""Model calls that are not made twice: those of an unfinished row of a batch, and, when asked for, those of any run.

A batch with a journal writes each answer down before the flow sees it. The row that was in work when the process died
then goes on with the answers it has. Such an answer belongs to its row, and to the how-manieth time the row asked just
that: rows that ask the same thing still get an answer each.

A cache is a folder that a user names; there the same question to the same model has one answer, whoever asks.
Calls of LLM nodes, prompties and Prompt flow's own tools are seen here; what a user's Python sends by itself is not.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from opsloop.flows.journal import Journal, digest_of
from opsloop.flows.lines import LinesUnwritable, entry_of, line_of
from opsloop.llm.port import ChatProvider, Completion, Embedding, Message

Answer = TypeVar("Answer", Completion, Embedding)
Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model was asked, by content: `where` is the server, `what` the operation with all that was sent."""

    where: str
    what: Mapping[str, Any]


class Answers(Protocol):
    """Where answers are kept."""

    def place(self, asked: Asked) -> str:
        """Where the answer is kept, or will be."""
        ...

    def find(self, place: str) -> Kept | None: ...

    async def keep(self, place: str, answer: Kept) -> None:
        """Returns once it is on the disk. Raises: LinesUnwritable."""
        ...


current_answers: ContextVar[tuple[Answers, ...]] = ContextVar("current_answers", default=())
"""Where the model calls of this row are looked up and kept, nearest first."""


def kept(provider: ChatProvider) -> ChatProvider:
    """The provider, behind the answers of the current row when there are some."""
    for answers in reversed(current_answers.get()):
        provider = _Kept(provider, answers)
    return provider


class RowAnswers:
    """The answers one row of a batch got; the address of the server may change between them.

    Args:
        known: those of an earlier process or worker, by their places.
        write: keeps one; returns once it is safe.
    """

    def __init__(self, known: Mapping[str, Kept], write: Callable[[str, Kept], Awaitable[None]]) -> None:
        self._known = known
        self._write = write
        self._times: Counter[str] = Counter()

    def place(self, asked: Asked) -> str:
        digest = digest_of(asked.what)
        self._times[digest] += 1
        return f"{digest}-{self._times[digest]}"

    def find(self, place: str) -> Kept | None:
        return self._known.get(place)

    async def keep(self, place: str, answer: Kept) -> None:
        await self._write(place, answer)


def in_journal(journal: Journal, row: int, data: str) -> RowAnswers:
    """The answers of a row that a batch's journal keeps."""

    async def write(place: str, answer: Kept) -> None:
        await journal.write_call((row, data, place), answer)

    return RowAnswers(journal.calls_of(row, data), write)


class Cache:
    """A folder of answers by content, a file each; several processes may use one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found = 0

    def place(self, asked: Asked) -> str:
        digest = digest_of([asked.where, asked.what])
        return f"{digest[:2]}/{digest[2:]}.json"

    def find(self, place: str) -> Kept | None:
        try:
            entry = entry_of((self.folder / place).read_bytes().removesuffix(b"\n"))
        except OSError:
            return None
        self.found += entry is not None  # else it is damaged, and asked for again
        return entry

    async def keep(self, place: str, answer: Kept) -> None:
        file = self.folder / place
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as opened:
                opened.write(line_of(answer))
                opened.flush()
                os.fsync(opened.fileno())
            part.replace(file)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise LinesUnwritable(path=self.folder, reason=error.strerror) from error


class _Kept:
    """A provider whose answers are kept."""

    def __init__(self, provider: ChatProvider, answers: Answers) -> None:
        self._provider = provider
        self._answers = answers
        self.engine = provider.engine
        self.model = provider.model
        self.server: object = getattr(provider, "server", None)

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        asked = self._asked("chat", list(messages), parameters)
        return await self._answer(asked, Completion, lambda: self._provider.chat(messages, **parameters))

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        asked = self._asked("complete", prompt, parameters)
        return await self._answer(asked, Completion, lambda: self._provider.complete(prompt, **parameters))

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        asked = self._asked("embed", list(texts), parameters)
        return await self._answer(asked, Embedding, lambda: self._provider.embed(texts, **parameters))

    def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        return self._provider.stream(messages, **parameters)  # somebody watches: not a batch

    async def _answer(self, asked: Asked, kind: type[Answer], ask: Callable[[], Awaitable[Answer]]) -> Answer:
        place = self._answers.place(asked)
        if (found := self._answers.find(place)) is not None:
            return msgspec.convert(found, kind)
        answer = await ask()
        await self._answers.keep(place, msgspec.to_builtins(answer))
        return answer

    def _asked(self, operation: str, content: object, parameters: Mapping[str, Any]) -> Asked:
        given = {name: value for name, value in parameters.items() if value is not None}
        what = {"engine": self.engine, "operation": operation, "model": self.model, **given, "content": content}
        return Asked(str(getattr(self.server, "address", "")), what)
