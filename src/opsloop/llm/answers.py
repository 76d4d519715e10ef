"""A server's body to what the port gives; a stream's chunks to the body they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The chunks of a streamed chat answer, put together to the body that an answer in one piece would have."""

    def __init__(self, model: str) -> None:
        self._head: dict[str, Any] = {"object": "chat.completion", "model": model}
        self._choices: dict[int, _Choice] = {}

    @property
    def is_finished(self) -> bool:
        """Whether the server said of each choice why it ended."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    def add(self, chunk: Mapping[str, Any]) -> str:
        """The text that a chunk adds to the first choice."""
        for key in ("id", "created", "model", "usage", "system_fingerprint"):
            if chunk.get(key):
                self._head[key] = chunk[key]
        added = ""
        for part in chunk.get("choices") or []:
            index = int(part.get("index") or 0)
            choice = self._choices.setdefault(index, _Choice())
            choice.finish_reason = part.get("finish_reason") or choice.finish_reason
            choice.grow(part.get("delta") or {})
            added += _text((part.get("delta") or {}).get("content")) if index == 0 else ""
        return added

    def completion(self) -> Completion:
        """Raises: LookupError when no chunk brought a choice."""
        choices = [self._choices[index].body(index) for index in sorted(self._choices)]
        return chat_completion({**self._head, "choices": choices}, self._head["model"])


class _Choice:
    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.message: dict[str, Any] = {"role": "assistant", "content": ""}
        self.calls: dict[int, dict[str, Any]] = {}

    def grow(self, delta: Mapping[str, Any]) -> None:
        for key, value in delta.items():
            if key == "tool_calls":
                for part in value or []:
                    self._grow_call(part)
            elif key == "function_call":
                _grow_function(self.message.setdefault(key, {"name": "", "arguments": ""}), value or {})
            elif key != "role" and isinstance(value, str):
                self.message[key] = (self.message.get(key) or "") + value
            elif value is not None:
                self.message[key] = value

    def _grow_call(self, part: Mapping[str, Any]) -> None:
        """A tool call comes in pieces: its id and name first, then its arguments."""
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self.calls.setdefault(int(part.get("index") or 0), empty)
        call["id"] = part.get("id") or call["id"]
        _grow_function(call["function"], part.get("function") or {})

    def body(self, index: int) -> dict[str, Any]:
        calls = [self.calls[key] for key in sorted(self.calls)]
        message = {**self.message, "tool_calls": calls} if calls else self.message
        return {"index": index, "message": message, "finish_reason": self.finish_reason or "stop"}


def _grow_function(function: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key in ("name", "arguments"):
        function[key] += part.get(key) or ""


def _text(content: object) -> str:
    """The text of a message, whose content is a text, parts of which some have text, or nothing."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content)
    raise TypeError(f"its content is of type {type(content).__name__}")
