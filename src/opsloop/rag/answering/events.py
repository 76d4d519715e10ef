"""An answer as server-sent events: `sentence` for each part that is proved, `answer` at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict

from fastapi.responses import Response, StreamingResponse

from opsloop.core.errors import OpsloopError
from opsloop.core.web import problems
from opsloop.rag.models import Answer, Sentence

STREAM = "text/event-stream"


async def events(parts: AsyncGenerator[Sentence | Answer, None]) -> Response:
    """Begins when the first part is there, so that what is wrong with a question is told by the status."""
    first = await anext(parts)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(first, parts), media_type=STREAM, headers=headers)


async def _events(first: Sentence | Answer, parts: AsyncGenerator[Sentence | Answer, None]) -> AsyncIterator[bytes]:
    async with aclosing(parts):
        yield _event(first)
        try:
            async for part in parts:
                yield _event(part)
        except OpsloopError as error:
            yield b"event: problem\ndata: %s\n\n" % problems.body_of(problems.problem(error))


def _event(part: Sentence | Answer) -> bytes:
    kind = b"answer" if isinstance(part, Answer) else b"sentence"
    return b"event: %s\ndata: %s\n\n" % (kind, problems.body_of(asdict(part)))
