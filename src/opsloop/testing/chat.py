"""Chat completions: whole and streamed, with calls of tools or of legacy functions."""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.web.json_body import decoded
from opsloop.testing import answers, tokens, wire
from opsloop.testing.requests import ChatRequest
from opsloop.testing.said import FunctionCall, Said, limited
from opsloop.testing.wire import Asker

NAME = "chat"
_DECODER = msgspec.json.Decoder(ChatRequest)


class Chat:
    """One request of chat. Raises: InvalidInput when `body` is none, here and where an answer cannot be made."""

    def __init__(self, body: bytes) -> None:
        self.request = decoded(_DECODER, body)
        self.model = self.request.model
        self.needs_model = True
        self.streams = bool(self.request.stream)

    @property
    def texts(self) -> list[str]:
        return self.request.texts

    def body(self, asker: Asker, scripted: Said | None) -> bytes:
        said = self._said(scripted)
        return wire.encode(
            {
                "id": f"chatcmpl-{asker.id}",
                "object": "chat.completion",
                "created": wire.CREATED,
                "model": asker.model,
                "system_fingerprint": wire.FINGERPRINT,
                "choices": [self._choice(index, each) for index, each in enumerate(said)],
                "usage": wire.usage(self.request.prompt_tokens, said),
            }
        )

    def events(self, asker: Asker, scripted: Said | None) -> list[bytes]:
        said = self._said(scripted)
        stream = _Stream(self.request, asker)
        events = [stream.filtered()] if asker.azure else []
        for index, each in enumerate(said):
            events += stream.choice(index, each)
        if self.request.streams_usage:
            events.append(stream.usage(said))
        return [*events, wire.DONE]

    def _said(self, scripted: Said | None) -> list[Said]:
        return [self._said_once(scripted, choice) for choice in range(self.request.n or 1)]

    def _said_once(self, scripted: Said | None, choice: int) -> Said:
        call = None if scripted is not None else answers.call_of(self.request)
        if call is not None:
            return _calling(None, (call,), legacy=self.request.functions is not None and self.request.tools is None)
        if scripted is not None and scripted.calls:
            return _calling(scripted.text, scripted.calls, legacy=self.request.functions is not None)
        text = (scripted.text or "") if scripted is not None else answers.text_of(self.request, choice)
        return limited(text, stops=self.request.stops, token_limit=self.request.token_limit)

    def _choice(self, index: int, said: Said) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": said.text, "refusal": None}
        if said.finish_reason == "function_call":
            message["function_call"] = _function(said.calls[0])
        elif said.calls:
            message["tool_calls"] = [_tool_call(call, index, at) for at, call in enumerate(said.calls)]
        return {
            "index": index,
            "message": message,
            "logprobs": self._logprobs(said.text),
            "finish_reason": said.finish_reason,
        }

    def _logprobs(self, text: str | None) -> dict[str, Any] | None:
        if not self.request.logprobs or text is None:
            return None
        return wire.chat_logprobs(text, self.request.top_logprobs or 0)


class _Stream:
    """The events of one streamed answer."""

    def __init__(self, request: ChatRequest, asker: Asker) -> None:
        self._request = request
        self._asker = asker

    def filtered(self) -> bytes:
        """Azure's first event, which has no choices."""
        passed = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
        return self._event([], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": passed}])

    def choice(self, index: int, said: Said) -> list[bytes]:
        opening = {"role": "assistant", "content": None if said.text is None else "", "refusal": None}
        events = [self._delta(index, opening)]
        for piece in tokens.pieces(said.text or ""):
            events.append(self._delta(index, {"content": piece}, text=piece))
        for at, call in enumerate(said.calls):
            events += self._calls(index, at, call, legacy=said.finish_reason == "function_call")
        return [*events, self._delta(index, {}, finish_reason=said.finish_reason)]

    def usage(self, said: list[Said]) -> bytes:
        return self._event([], usage=wire.usage(self._request.prompt_tokens, said))

    def _calls(self, index: int, at: int, call: FunctionCall, *, legacy: bool) -> list[bytes]:
        """The name first, then the arguments in pieces."""
        parts = tokens.pieces(call.arguments)
        if legacy:
            opening: dict[str, Any] = {"function_call": {"name": call.name, "arguments": ""}}
            following: list[dict[str, Any]] = [{"function_call": {"arguments": part}} for part in parts]
        else:
            tool_call = _tool_call(call, index, at)
            opening = {"tool_calls": [{"index": at, **tool_call, "function": {"name": call.name, "arguments": ""}}]}
            following = [{"tool_calls": [{"index": at, "function": {"arguments": part}}]} for part in parts]
        return [self._delta(index, delta) for delta in (opening, *following)]

    def _delta(
        self, index: int, delta: dict[str, Any], *, text: str | None = None, finish_reason: str | None = None
    ) -> bytes:
        logprobs = None
        if self._request.logprobs and text is not None:
            logprobs = wire.chat_logprobs(text, self._request.top_logprobs or 0)
        return self._event([{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}])

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        if self._request.streams_usage:
            more = {"usage": None, **more}
        return wire.event(
            {
                "id": f"chatcmpl-{self._asker.id}",
                "object": "chat.completion.chunk",
                "created": wire.CREATED,
                "model": self._asker.model,
                "system_fingerprint": wire.FINGERPRINT,
                "choices": choices,
                **more,
            }
        )


def _calling(text: str | None, calls: tuple[FunctionCall, ...], *, legacy: bool) -> Said:
    return Said(text, calls, "function_call" if legacy else "tool_calls")


def _function(call: FunctionCall) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def _tool_call(call: FunctionCall, choice: int, at: int) -> dict[str, Any]:
    return {"id": f"call_{choice + 1}_{at + 1}", "type": "function", "function": _function(call)}
