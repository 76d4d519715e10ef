"""Settings of the gateway."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class GatewaySettings(Section):
    gateway_timeout_s: float = Field(
        60.0,
        gt=0,
        description="Longest time of a release until its answer, or its first piece when streamed, in seconds.",
    )
    gateway_stream_timeout_s: float = Field(
        600.0, gt=0, description="Longest time of a streamed answer after its first piece, in seconds."
    )
    gateway_body_timeout_s: float = Field(
        30.0, gt=0, description="Longest time for a request's body to arrive, in seconds."
    )
    gateway_max_concurrent: int = Field(
        256, ge=1, description="Requests that releases answer at a time; more are shed with 503, as a number."
    )
    gateway_max_waiting: int = Field(
        1024, ge=1, description="Requests whose body is read or answer sent at a time; more get 503, as a number."
    )
    gateway_cache_bytes: int = Field(
        64_000_000, ge=0, description="Memory for answers that releases allow to be kept, in bytes; 0: none."
    )
    predict_rows: int = Field(10_000, ge=1, description="Most rows of one request for predictions, as a number.")
    predict_log: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of models' answers that get a line on stdout, from 0 to 1; `opsloop serve`: 1 unless set.",
    )
    gateway_routing_poll_s: float = Field(
        0.25, gt=0, le=1.0, description="Interval at which changes of other processes are looked for, in seconds."
    )
