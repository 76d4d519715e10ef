"""The console's own scripts and style, from the package, under names that change with their content.

A page names `console.3fb81c0de2a4.css`; browsers keep it for a year and a new version of Opsloop has another name.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import Request
from fastapi.responses import Response

from opsloop.core.errors import NotFound
from opsloop.core.web.router import Router

router = Router(include_in_schema=False)
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    name: str
    content: bytes
    packed: bytes
    digest: str
    media_type: str

    @property
    def hashed_name(self) -> str:
        stem, dot, ending = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{ending}"


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file by its plain name."""
    return {each.name: _read(each.name) for each in files("opsloop.console").joinpath("static").iterdir()}


def url(name: str) -> str:
    """The address of a file, such as `console.css`."""
    return f"/static/{static_files()[name].hashed_name}"


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    by_hashed_name = {each.hashed_name: each for each in static_files().values()}
    found = by_hashed_name.get(name)
    if found is None:
        raise NotFound(noun="static file", name=name)
    tag = f'"{found.digest}"'
    headers = {"etag": tag, "cache-control": FOREVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    return static(request, static_files()["icon.svg"].hashed_name)


def _read(name: str) -> StaticFile:
    content = files("opsloop.console").joinpath("static", name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    packed = gzip.compress(content, mtime=0)
    return StaticFile(name, content, packed, digest, _TYPES[PurePosixPath(name).suffix])
