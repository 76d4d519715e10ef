"""A request's body as it came, for routes that take a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request


async def _bytes_of(request: Request) -> bytes:
    return await request.body()


# The body limit in front of the app has refused what is too large. FastAPI's own `bytes` body would parse JSON.
RawBody = Annotated[bytes, Depends(_bytes_of)]


def takes_file(*media_types: str) -> dict[str, Any]:
    """What OpenAPI says of such a route: `@router.post(…, openapi_extra=takes_file("application/x-tar"))`."""
    schema = {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media: {"schema": schema} for media in media_types}}}
