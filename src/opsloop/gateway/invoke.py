"""POST /endpoints/{name}/invoke: any flow by the names of its inputs, whole or as server-sent events.

Events of a stream: `start` (who answers), `delta` (`{"text"}`, pieces of the chat output), then `result` (the whole
answer) or `error` (a problem document).
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.errors import OpsloopError
from opsloop.core.web import problems
from opsloop.core.web.json_body import decoded
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult
from opsloop.gateway import tokens
from opsloop.gateway.bodies import header
from opsloop.gateway.calls import Call
from opsloop.gateway.dialect import Answer
from opsloop.gateway.outlet import EVENTS, event
from opsloop.gateway.serving import Serving
from opsloop.gateway.spoken import spoken
from opsloop.gateway.tokens import Usage
from opsloop.guardrails.redaction import redacted_value
from opsloop.guardrails.support.models import Said
from opsloop.releases.routing import Arm

PREFIX, SUFFIX = "/endpoints/", "/invoke"
_encode = msgspec.json.Encoder().encode


class InvokeRequest(msgspec.Struct, forbid_unknown_fields=True):
    inputs: dict[str, Any]
    user: str | None = None


_decoder = msgspec.json.Decoder(InvokeRequest)


async def invoke(serving: Serving, call: Call) -> None:
    """Run an endpoint's flow. Raises: InvalidInput, and what `Serving.serve` raises."""
    endpoint = call.scope["path"][len(PREFIX) : -len(SUFFIX)]
    body = await serving.body(call)
    request = decoded(_decoder, body)
    streamed = EVENTS.decode() in (header(call.scope, b"accept") or "")
    dialect = InvokeDialect(request.inputs, call.request_id)
    await serving.serve(call, endpoint, dialect, user=request.user, streamed=streamed, asked_bytes=len(body))


class InvokeDialect:
    def __init__(self, inputs: dict[str, Any], request_id: str) -> None:
        self._inputs = inputs
        self._request_id = request_id

    def inputs(self, flow: LoadedFlow) -> dict[str, Any]:
        return self._inputs

    def conversation(self) -> tuple[Said, ...]:
        inputs = self._inputs.values()
        text = next((each for each in inputs if isinstance(each, str)), "") if len(inputs) == 1 else ""
        return (Said("user", text or _encode(self._inputs).decode()),)

    def usage(self, flow: LoadedFlow, result: FlowResult) -> Usage:
        asked, answered = _encode(self._inputs).decode(), _encode(result.outputs).decode()
        return tokens.usage(result.tokens, asked=[asked], answered=answered)

    def body(self, answer: Answer) -> bytes:
        return _encode(
            {
                "outputs": answer.result.outputs,
                **self._facts(answer.arm),
                "duration_ms": round(answer.result.duration_ms, 3),
                "usage": {
                    "tokens_in": answer.usage.prompt,
                    "tokens_out": answer.usage.completion,
                    "estimated": answer.usage.is_estimate,
                },
                **({"ticket": answer.ticket.told} if answer.ticket is not None else {}),
            }
        )

    def opening(self, arm: Arm) -> bytes:
        return event(_encode(self._facts(arm)), name=b"start")

    def piece(self, text: str) -> bytes:
        return event(_encode({"text": text}), name=b"delta")

    def closing(self, answer: Answer) -> bytes:
        return event(self.body(answer), name=b"result")

    def broken(self, error: OpsloopError) -> bytes:
        document = redacted_value(problems.problem(spoken(error, self._request_id)))
        return event(problems.body_of({**document, "request_id": self._request_id}), name=b"error")

    def _facts(self, arm: Arm) -> dict[str, Any]:
        return {"release": arm.release, "number": arm.number, "arm": arm.name, "request_id": self._request_id}
