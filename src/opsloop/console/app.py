"""The console's router: every page, the live stream, the static files."""

from __future__ import annotations

from fastapi import APIRouter

from opsloop.console import live, static_files
from opsloop.console.pages import action, endpoint, overview, rollout

router = APIRouter(include_in_schema=False)
for each in (overview.router, endpoint.router, action.router, rollout.router, live.router, static_files.router):
    router.include_router(each)
