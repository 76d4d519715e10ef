"""What a client reads: which server, with which key."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class ClientSettings(Section):
    url: str | None = Field(
        None, description="Server that commands and clients talk to, as a URL; unset: the project in this folder."
    )
    token: str | None = Field(None, description="API key sent to that server.", repr=False)
    client_timeout_s: float = Field(60.0, gt=0, description="Time a client waits for one answer, in seconds.")
