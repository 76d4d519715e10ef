"""The router of a page."""

from __future__ import annotations

from fastapi import Depends

from opsloop.console.halted import note_halt
from opsloop.core.web.router import Router


class PageRouter(Router):
    """Pages stand in no description of the API, and each says when repairs are halted."""

    def __init__(self) -> None:
        super().__init__(include_in_schema=False, dependencies=[Depends(note_halt)])
