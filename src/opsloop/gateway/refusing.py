"""Answer with an error, in the shape of the route's protocol."""

from __future__ import annotations

from opsloop.core.errors import Kind, OpsloopError, TooLarge
from opsloop.core.web import problems
from opsloop.gateway import openai
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import BodyTooSlow
from opsloop.gateway.outlet import JSON
from opsloop.gateway.spoken import spoken
from opsloop.guardrails.redaction import redacted, redacted_value
from opsloop.monitoring import metrics

_OPENAI, _INFERENCE = "/v1/", "/v2"


async def refuse(
    call: Call, error: OpsloopError, *, status: int | None = None, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Nothing when an answer has begun.

    What is wrong is named without personal data: problem documents are logged and stored by those who get them.
    """
    if call.out.is_open:
        return
    error = spoken(error, call.request_id)
    headers = headers or []
    status = status or problems.status_of(error)
    if error.kind in (Kind.UNAVAILABLE, Kind.LIMITED):
        headers.append((b"retry-after", str(problems.retry_after_s(error)).encode()))
    if isinstance(error, TooLarge | BodyTooSlow):  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    metrics.error_answers.labels(error.slug()).inc()
    path = call.scope["path"]
    if path.startswith(_OPENAI):
        status, document = openai.error_of(error, status)
        document = redacted_value(document)
        await call.out.whole(status, problems.body_of(document), content_type=JSON, headers=headers)
    elif path.startswith(_INFERENCE):
        body = problems.body_of({"error": redacted(error.sentence)})
        await call.out.whole(status, body, content_type=JSON, headers=headers)
    else:
        document = redacted_value({**problems.problem(error), "status": status})
        document["request_id"] = call.request_id
        media_type = problems.MEDIA_TYPE.encode()
        await call.out.whole(status, problems.body_of(document), content_type=media_type, headers=headers)
