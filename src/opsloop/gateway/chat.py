"""POST /v1/chat/completions: an endpoint's flow behind the OpenAI protocol, whole or streamed.

Beside OpenAI's fields the message has `opsloop`: which release of which arm answered, the request's id for feedback,
the citations and whether the flow abstained. In a stream the first delta says who answers, the last one all of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.web.json_body import decoded
from opsloop.core.web.problems import status_of
from opsloop.flows.chat_history import chat_answer, history
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult
from opsloop.gateway import tokens
from opsloop.gateway.calls import Call
from opsloop.gateway.conversation import Conversation, conversation_of
from opsloop.gateway.dialect import Answer
from opsloop.gateway.errors import NotAChatFlow
from opsloop.gateway.openai import ChatRequest, error_of
from opsloop.gateway.outlet import event
from opsloop.gateway.serving import Serving
from opsloop.gateway.spoken import spoken
from opsloop.gateway.tokens import Usage
from opsloop.guardrails.redaction import redacted_value
from opsloop.guardrails.support.models import Said
from opsloop.releases.routing import Arm

PATH = "/v1/chat/completions"
DONE = event(b"[DONE]")
_decoder = msgspec.json.Decoder(ChatRequest)
_encode = msgspec.json.Encoder().encode


async def complete(serving: Serving, call: Call) -> None:
    """Answer a chat completion. Raises: InvalidInput, and what `Serving.serve` raises."""
    body = await serving.body(call)
    request = decoded(_decoder, body)
    if request.n not in (None, 1):
        raise InvalidInput(field="n", value=request.n, wanted="1: an endpoint gives one answer")
    conversation = conversation_of(request.messages)
    dialect = ChatDialect(request, conversation, call.request_id, int(serving.workspace.clock.now().timestamp()))
    await serving.serve(
        call, request.model, dialect, user=request.user, streamed=bool(request.stream), asked_bytes=len(body)
    )


class ChatDialect:
    def __init__(self, request: ChatRequest, conversation: Conversation, request_id: str, created: int) -> None:
        self._conversation = conversation
        self._request_id = request_id
        self._head = {"id": f"chatcmpl-{request_id}", "created": created, "model": request.model}
        self._wants_usage = bool(request.stream_options and request.stream_options.include_usage)

    def inputs(self, flow: LoadedFlow) -> dict[str, Any]:
        if flow.chat_input is None or flow.chat_output is None:
            raise NotAChatFlow(endpoint=self._head["model"])
        inputs: dict[str, Any] = {flow.chat_input: self._conversation.question}
        if flow.chat_history is not None:
            inputs[flow.chat_history] = history(flow.flow, self._conversation.turns)
        return inputs

    def conversation(self) -> tuple[Said, ...]:
        return self._conversation.said

    def usage(self, flow: LoadedFlow, result: FlowResult) -> Usage:
        return tokens.usage(result.tokens, asked=self._conversation.texts, answered=_text(flow, result))

    def body(self, answer: Answer) -> bytes:
        message = {
            "role": "assistant",
            "content": _text(answer.flow, answer.result),
            "refusal": None,
            "opsloop": self._told(answer),
        }
        return _encode(
            {
                **self._head,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
                "usage": _usage(answer.usage),
            }
        )

    def opening(self, arm: Arm) -> bytes:
        return self._chunk({"role": "assistant", "content": "", "opsloop": self._facts(arm)})

    def piece(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def closing(self, answer: Answer) -> bytes:
        pieces = [self._chunk({"opsloop": self._told(answer)}, finish_reason="stop")]
        if self._wants_usage:
            head = {**self._head, "object": "chat.completion.chunk"}
            pieces.append(event(_encode({**head, "choices": [], "usage": _usage(answer.usage)})))
        return b"".join([*pieces, DONE])

    def broken(self, error: OpsloopError) -> bytes:
        # No [DONE]: clients of OpenAI raise on an `error` in the stream.
        return event(_encode(redacted_value(error_of(spoken(error, self._request_id), status_of(error))[1])))

    def _chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": [choice]}
        if self._wants_usage:
            chunk["usage"] = None
        return event(_encode(chunk))

    def _facts(self, arm: Arm) -> dict[str, Any]:
        return {"release": arm.release, "number": arm.number, "arm": arm.name, "request_id": self._request_id}

    def _told(self, answer: Answer) -> dict[str, Any]:
        outputs = answer.result.outputs
        return {
            **self._facts(answer.arm),
            "citations": outputs.get("citations") or [],
            "abstained": outputs.get("abstained"),
            "usage_estimated": answer.usage.is_estimate,
            **({"ticket": answer.ticket.told} if answer.ticket is not None else {}),
        }


def _text(flow: LoadedFlow, result: FlowResult) -> str:
    """The chat output as text; what is none is written as JSON."""
    value = chat_answer(flow.flow, result.outputs)
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
