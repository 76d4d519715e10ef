"""HTTP: what screens find in a text. Nothing of the text is kept."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Asking
from opsloop.core.web.router import Router
from opsloop.guardrails import scan as scanning
from opsloop.guardrails.errors import TextTooLong
from opsloop.guardrails.models import Scan

router = Router(prefix="/api/guardrails", tags=["guardrails"])
# Characters of one text; a second's work or so.
LIMIT = 1_000_000


class ToScan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    screens: list[str] | None = Field(None, max_length=100, description="default: all that look by default")


@router.post("/scan")
def scan(caller: Asking, asked: ToScan) -> Scan:
    """Look through a text: where what stands, how sure that is, and which screens could not look. Never the values."""
    caller.require(Role.VIEWER)
    if len(asked.text) > LIMIT:
        raise TextTooLong(size=len(asked.text), limit=LIMIT)
    return scanning.scan(asked.text, asked.screens)


@router.get("/screens")
def screens(caller: Asking) -> dict[str, Any]:
    """The screens there are, those of installed packages too, and why one cannot be used."""
    caller.require(Role.VIEWER)
    return {"items": scanning.listed(), "next": None}
