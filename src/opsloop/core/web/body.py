"""A request's body as it came, for routes that take a file."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

_WRITTEN_BYTES = 1 << 20


async def _bytes_of(request: Request) -> bytes:
    return await request.body()


# The body limit in front of the app has refused what is too large. FastAPI's own `bytes` body would parse JSON.
RawBody = Annotated[bytes, Depends(_bytes_of)]


async def _file_of(request: Request) -> AsyncIterator[Path]:
    file: IO[bytes] = await run_in_threadpool(tempfile.NamedTemporaryFile, prefix="opsloop-upload-")

    def write(data: bytes) -> None:
        file.write(data)
        file.flush()

    try:
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _WRITTEN_BYTES:
                await run_in_threadpool(write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(write, bytes(waiting))
        yield Path(file.name)
    finally:
        await run_in_threadpool(file.close)


# The same on the disk, for bodies that memory should not hold; the file is gone after the answer.
FileBody = Annotated[Path, Depends(_file_of)]


def takes_file(*media_types: str) -> dict[str, Any]:
    """What OpenAPI says of such a route: `@router.post(…, openapi_extra=takes_file("application/x-tar"))`."""
    schema = {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media: {"schema": schema} for media in media_types}}}
