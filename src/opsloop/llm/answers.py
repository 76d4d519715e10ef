"""A server's body to what the port gives; a stream's chunks to the body they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from opsloop.llm.port import Completion, Embedding, Usage

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a body of another form raises."""


def chat_completion(body: Mapping[str, Any], model: str) -> Completion:
    choice = body["choices"][0]
    message = choice["message"]
    return Completion(
        text=_text(message.get("content")),
        model=str(body.get("model") or model),
        usage=usage(body.get("usage")),
        finish_reason=choice.get("finish_reason") or "stop",
        message=message,
        response=body,
    )


def text_completion(body: Mapping[str, Any], model: str) -> Completion:
    choice = body["choices"][0]
    text = _text(choice["text"])
    return Completion(
        text=text,
        model=str(body.get("model") or model),
        usage=usage(body.get("usage")),
        finish_reason=choice.get("finish_reason") or "stop",
        message={"role": "assistant", "content": text},
        response=body,
    )


def embedding(body: Mapping[str, Any], texts: Sequence[str], model: str) -> Embedding:
    ordered = sorted(body["data"], key=lambda item: int(item["index"]))
    if [item["index"] for item in ordered] != list(range(len(texts))):
        raise ValueError(f"{len(ordered)} vectors came for {len(texts)} texts")
    vectors = [[float(number) for number in item["embedding"]] for item in ordered]
    return Embedding(vectors, str(body.get("model") or model), usage(body.get("usage")), body)


def usage(counts: Mapping[str, Any] | None) -> Usage | None:
    if not counts or counts.get("prompt_tokens") is None:
        return None
    return Usage(int(counts["prompt_tokens"]), int(counts.get("completion_tokens") or 0))


class Gathered:
    """The chunks of a streamed chat answer, put together to the body that an answer in one piece would have.

    `size_bytes` is about what is kept of them.
    """

    def __init__(self, model: str) -> None:
        self._head: dict[str, Any] = {"object": "chat.completion", "model": model}
        self._choices: dict[int, _Choice] = {}
        self.size_bytes = 0

    @property
    def is_finished(self) -> bool:
        """Whether the server said of each choice why it ended."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    def add(self, chunk: Mapping[str, Any]) -> str:
        """The text that a chunk adds to the first choice."""
        for key in _HEAD:
            if value := chunk.get(key):
                self._head[key] = value
        added = ""
        for part in chunk.get("choices") or ():
            index = int(part.get("index") or 0)
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = _Choice()
                self.size_bytes += _OBJECT_BYTES
            choice.finish_reason = part.get("finish_reason") or choice.finish_reason
            if delta := part.get("delta"):
                self.size_bytes += choice.grow(delta)
                if index == 0:
                    added += _text(delta.get("content"))
        return added

    def completion(self) -> Completion:
        """Raises: LookupError when no chunk brought a choice."""
        choices = [self._choices[index].body(index) for index in sorted(self._choices)]
        return chat_completion({**self._head, "choices": choices}, self._head["model"])


_HEAD = ("id", "created", "model", "usage", "system_fingerprint")
_OBJECT_BYTES = 1_000
"""What a choice, a call or a member of a message costs beside its text, about."""


class _Choice:
    def __init__(self) -> None:
        self.finish_reason: str | None = None
        # Written, not added up: a long text would be copied with every piece of it.
        self.texts: dict[str, StringIO] = {"content": StringIO()}
        self.others: dict[str, Any] = {}
        self.calls: dict[int, _ToolCall] = {}
        self.function: _Function | None = None

    def grow(self, delta: Mapping[str, Any]) -> int:
        """Returns: the bytes by which it grew, about."""
        grown = 0
        for key, value in delta.items():
            if key == "tool_calls":
                grown += sum(self._grow_call(part) for part in value or ())
            elif key == "function_call":
                if self.function is None:
                    self.function, grown = _Function(), grown + _OBJECT_BYTES
                grown += self.function.grow(value or {})
            elif key == "role" or value is None:
                continue
            elif isinstance(value, str):
                if (text := self.texts.get(key)) is None:
                    text, grown = self.texts.setdefault(key, StringIO()), grown + _OBJECT_BYTES
                grown += _size_bytes(value)
                text.write(value)
            else:
                grown += 0 if key in self.others else _OBJECT_BYTES + len(repr(value))
                self.others[key] = value
        return grown

    def _grow_call(self, part: Mapping[str, Any]) -> int:
        """A tool call comes in pieces: its id and name first, then its arguments."""
        index = int(part.get("index") or 0)
        call, grown = self.calls.get(index), 0
        if call is None:
            call, grown = self.calls.setdefault(index, _ToolCall()), _OBJECT_BYTES
        call.id = part.get("id") or call.id
        return grown + call.function.grow(part.get("function") or {})

    def body(self, index: int) -> dict[str, Any]:
        texts = {key: text.getvalue() for key, text in self.texts.items()}
        message: dict[str, Any] = {"role": "assistant", **texts, **self.others}
        if self.function is not None:
            message["function_call"] = self.function.body()
        if self.calls:
            message["tool_calls"] = [self.calls[key].body() for key in sorted(self.calls)]
        return {"index": index, "message": message, "finish_reason": self.finish_reason or "stop"}


class _Function:
    def __init__(self) -> None:
        self.name = StringIO()
        self.arguments = StringIO()

    def grow(self, part: Mapping[str, Any]) -> int:
        grown = 0
        for text, piece in ((self.name, part.get("name")), (self.arguments, part.get("arguments"))):
            if piece:
                text.write(piece)
                grown += _size_bytes(piece)
        return grown

    def body(self) -> dict[str, Any]:
        return {"name": self.name.getvalue(), "arguments": self.arguments.getvalue()}


class _ToolCall:
    def __init__(self) -> None:
        self.id = ""
        self.function = _Function()

    def body(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": self.function.body()}


def _size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _text(content: object) -> str:
    """The text of a message, whose content is a text, parts of which some have text, or nothing."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content)
    raise TypeError(f"its content is of type {type(content).__name__}")
