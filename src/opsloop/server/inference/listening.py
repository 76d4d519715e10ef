"""Listen for gRPC beside HTTP, where a setting names a port."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field
from starlette.types import ASGIApp

from opsloop.core.errors import Conflict, ExtraNeeded
from opsloop.core.settings import CoreSettings, Section

GRACE_S = 20.0


class InferenceSettings(Section):
    grpc_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the Open Inference Protocol over gRPC, as a number; unset: none."
    )


class GrpcPortInUse(Conflict):
    template = "port {port} on {host} cannot be had for gRPC; stop what uses it, or choose another (OPSLOOP_GRPC_PORT)"


def _check_port(host: str, port: int) -> None:
    """gRPC itself would write a line of its own to stderr before it says that it cannot. Raises: GrpcPortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise GrpcPortInUse(port=port, host=host) from None


@asynccontextmanager
async def over_grpc(app: ASGIApp, settings: CoreSettings, port: int | None) -> AsyncIterator[None]:
    """Answer gRPC with what the application answers under /v2, while the context lasts.

    Args:
        port: None for no gRPC.
    Raises: GrpcPortInUse, ExtraNeeded.
    """
    if port is None:
        yield
        return
    try:
        from opsloop.server.inference.service import server_of  # an extra, and 30 MB
    except ImportError as error:
        raise ExtraNeeded(what="the Open Inference Protocol over gRPC", extra="grpc") from error
    _check_port(settings.host, port)
    server = server_of(app, host=settings.host, limit_bytes=settings.body_limit_bytes)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise GrpcPortInUse(port=port, host=settings.host) from None
    await server.start()
    try:
        yield
    finally:
        await server.stop(GRACE_S)
