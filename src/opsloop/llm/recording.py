"""Model calls, recorded to a file and replayed from it: tests and CI run with no key, no network and no cost.

A recording is text to review and to keep beside the code: one call a line, sorted, with what was asked and what was
answered; no key and no address. A call is known by its content: operation, model, messages and parameters.

A call that is made several times has an answer for each time; who asks more often gets the last one again. Several
processes may record into one file: lines are appended under a lock, and put in order when a process ends.
"""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import hashlib
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import msgspec

from opsloop.core.errors import Failed, InvalidInput, NotFound, shown
from opsloop.llm.port import ChatProvider, Completion, Embedding, Message
from opsloop.llm.servers import Operation

FILE = "model-calls.jsonl"
Answer = TypeVar("Answer", Completion, Embedding)
Entry = dict[str, Any]


class Mode(StrEnum):
    """`record` asks and keeps each answer, `replay` never asks, `auto` asks for what is not there yet."""

    RECORD = "record"
    REPLAY = "replay"
    AUTO = "auto"


class NotRecorded(NotFound):
    template = (
        "{path} has no answer to this {operation} call of model {model}: {asked}; "
        "record it with OPSLOOP_LLM_RECORDING_MODE=auto and the model server at hand"
    )


class RecordingDamaged(Failed):
    template = "the recording {path} holds no recorded call in {where}: {reason}; remove that line and record it again"


class Recording:
    """A file of calls. Made once for each file of a process: it counts how often a call was made.

    Args:
        path: the file, or the folder that holds it as `model-calls.jsonl`.
    """

    def __init__(self, path: Path, mode: Mode) -> None:
        self.path = path if path.suffix == ".jsonl" else path / FILE
        self.mode = mode
        self._lock = Lock()
        self._times: Counter[str] = Counter()
        self._known: dict[str, list[Entry]] | None = None
        self._is_tidied_at_exit = False

    def next(self, call: Call) -> int:
        """How many times a call was made before, in this process."""
        with self._lock:
            self._times[call.key] += 1
            return self._times[call.key] - 1

    def find(self, call: Call, time: int) -> Entry | None:
        """What is to be replayed. Raises: NotRecorded in mode `replay`, RecordingDamaged."""
        if self.mode is Mode.RECORD:
            return None
        with self._lock:
            if self._known is None:
                self._known = _by_key(_read(self.path))
            found = self._known.get(call.key)
        if found:
            return found[min(time, len(found) - 1)]
        if self.mode is Mode.AUTO:
            return None
        asked = shown(json.dumps(call.asked, ensure_ascii=False), limit=300)
        raise NotRecorded(path=self.path, operation=call.operation.name.lower(), model=call.model, asked=asked)

    def add(self, call: Call, time: int, answer: Mapping[str, Any], pieces: Sequence[str] | None) -> None:
        """Returns once the call is in the file. Raises: OSError."""
        entry = {"key": call.key, "time": time, "model": call.model, "operation": call.operation.name.lower()}
        entry |= {"asked": call.asked, "answer": answer}
        if pieces is not None:
            entry["pieces"] = list(pieces)
        with _locked(self.path) as file:
            os.lseek(file, 0, os.SEEK_END)
            _put(file, _line(entry))
        with self._lock:
            if not self._is_tidied_at_exit:
                self._is_tidied_at_exit = True
                atexit.register(self._tidy_at_exit)

    def tidy(self) -> None:
        """Put the file in order; of a call that was recorded anew the newer answer stays."""
        if not self.path.exists():
            return
        with _locked(self.path) as file:
            data = _whole(file)
            newest = {(entry["key"], entry["time"]): entry for entry in _entries(data, self.path)}
            ordered = b"".join(_line(newest[place]) for place in sorted(newest))
            if ordered != data:
                part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
                part.write_bytes(ordered)
                part.replace(self.path)

    def _tidy_at_exit(self) -> None:
        with suppress(RecordingDamaged, OSError):  # told by whoever replays it; a process that ends has nobody to tell
            self.tidy()


class Call:
    """What a model was asked, by content."""

    def __init__(self, operation: Operation, model: str, content: object, parameters: Mapping[str, Any]) -> None:
        set_ones = {name: value for name, value in parameters.items() if value is not None and name != "model"}
        self.operation = operation
        self.model = model
        self.asked = {**set_ones, "content": content}
        try:
            text = json.dumps([operation, model, self.asked], sort_keys=True, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"the call to a model: {error}; wanted values of JSON") from error
        self.key = hashlib.sha256(text.encode()).hexdigest()[:32]


class Recorded:
    """A provider whose calls are recorded or replayed; in mode `replay` it is never asked.

    Args:
        model: what calls without a `model` ask for.
    """

    def __init__(self, provider: ChatProvider, recording: Recording, *, model: str) -> None:
        self._provider = provider
        self._recording = recording
        self.model = model
        self.engine = "recording" if recording.mode is Mode.REPLAY else provider.engine
        self.server: object = getattr(provider, "server", None)

    def __repr__(self) -> str:
        return f"Recorded({self._provider!r}, {str(self._recording.path)!r}, {self._recording.mode.value})"

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        call, time, found = await self._looked_up(Operation.CHAT, list(messages), parameters)
        if found is not None:
            return self._answer(found, Completion)
        return await self._kept(call, time, await self._provider.chat(messages, **parameters))

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        call, time, found = await self._looked_up(Operation.COMPLETE, prompt, parameters)
        if found is not None:
            return self._answer(found, Completion)
        return await self._kept(call, time, await self._provider.complete(prompt, **parameters))

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        call, time, found = await self._looked_up(Operation.EMBED, list(texts), parameters)
        if found is not None:
            return self._answer(found, Embedding)
        return await self._kept(call, time, await self._provider.embed(texts, **parameters))

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        call, time, found = await self._looked_up(Operation.CHAT, list(messages), parameters)
        if found is not None:
            completion = self._answer(found, Completion)
            for piece in found.get("pieces") or ([completion.text] if completion.text else []):
                yield piece
            yield completion
            return
        pieces: list[str] = []
        async for each in self._provider.stream(messages, **parameters):
            if isinstance(each, Completion):
                await self._kept(call, time, each, pieces)
            else:
                pieces.append(each)
            yield each

    async def _looked_up(
        self, operation: Operation, content: object, parameters: Mapping[str, Any]
    ) -> tuple[Call, int, Entry | None]:
        call = Call(operation, str(parameters.get("model") or self.model), content, parameters)
        time = self._recording.next(call)
        return call, time, await asyncio.to_thread(self._recording.find, call, time)

    async def _kept(self, call: Call, time: int, answer: Answer, pieces: Sequence[str] | None = None) -> Answer:
        await asyncio.to_thread(self._recording.add, call, time, msgspec.to_builtins(answer), pieces)
        return answer

    def _answer(self, entry: Entry, kind: type[Answer]) -> Answer:
        try:
            return msgspec.convert(entry["answer"], kind)
        except (msgspec.ValidationError, LookupError) as error:
            raise RecordingDamaged(
                path=self._recording.path, where=f"the line of key {entry['key']}", reason=error
            ) from error


def _by_key(entries: Iterator[Entry]) -> dict[str, list[Entry]]:
    newest = {(entry["key"], entry["time"]): entry for entry in entries}
    found: dict[str, list[Entry]] = {}
    for key, time in sorted(newest):
        found.setdefault(key, []).append(newest[key, time])
    return found


def _read(path: Path) -> Iterator[Entry]:
    try:
        return _entries(path.read_bytes(), path)
    except FileNotFoundError:
        return iter(())


def _entries(data: bytes, path: Path) -> Iterator[Entry]:
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            _ = str(entry["key"]), int(entry["time"]), entry["answer"]
        except (ValueError, LookupError, TypeError) as error:
            raise RecordingDamaged(
                path=path, where=f"line {number}", reason=f"{type(error).__name__} {error}"
            ) from error
        yield entry


def _line(entry: Entry) -> bytes:
    # ASCII, so that half a surrogate pair in a text, which UTF-8 does not have, is kept as it was.
    return json.dumps(entry).encode() + b"\n"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open and this process's alone; made when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def _is_at(path: Path, file: int) -> bool:
    """False when another process has put a file in order, and so in this one's place, while its lock was waited for."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _whole(file: int) -> bytes:
    with os.fdopen(os.dup(file), "rb") as opened:
        opened.seek(0)
        return opened.read()


def _put(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
