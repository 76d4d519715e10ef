"""A page: its frame (title, way back, the same thing as a command and as JSON) around what a template shows.

Everything a template prints is escaped. No page has an inline script or style, so the policy in its headers lets
nothing run or load that is not a file of the console.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from opsloop._version import __version__
from opsloop.console import static_files, words
from opsloop.console.status import badge
from opsloop.core.caller import Caller, Role

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A link: in the breadcrumb, in the side bar."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page.

    Args:
        title: the one h1.
        trail: the pages above it.
        cli: the command that tells the same.
        json: the address that answers the same as JSON.
        topics: what the page wants to hear of while it is open (see `live`).
        shape: of its content now; when a topic's shape is another, the page fetches itself again.
    """

    title: str
    trail: tuple[Place, ...] = ()
    cli: str | None = None
    json: str | None = None
    topics: tuple[str, ...] = ()
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    places: tuple[Place, ...]


SECTIONS = (
    Section(
        "Operate",
        (
            Place("Overview", "/"),
            Place("Alerts", "/alerts"),
            Place("Incidents", "/incidents"),
            Place("Detectors", "/detectors"),
            Place("Repairs", "/remediations"),
            Place("Assistant", "/assistant"),
            Place("Diagnose", "/diagnose"),
            Place("Support", "/support"),
            Place("Feedback", "/feedback"),
            Place("Traces", "/traces"),
            Place("Dashboards", "/dashboards"),
            Place("Objectives", "/slo"),
            Place("Jobs", "/jobs"),
        ),
    ),
    Section(
        "Build",
        (
            Place("Flows", "/flows"),
            Place("Evaluations", "/evaluations"),
            Place("Datasets", "/datasets"),
            Place("Training", "/training"),
            Place("Models", "/models"),
            Place("Documents", "/documents"),
        ),
    ),
    Section(
        "Govern",
        (
            Place("Audit", "/audit"),
            Place("Playbooks", "/playbooks"),
            Place("Limits", "/limits"),
            Place("Usage", "/usage"),
        ),
    ),
)


def page(request: Request, template: str, frame: Frame, *, status: int = 200, **values: Any) -> Response:
    """A template in its frame, as an answer."""
    caller = request.scope.get("opsloop.caller")
    html = (
        _templates()
        .get_template(template)
        .render(
            frame=frame,
            path=request.url.path,
            query=dict(request.query_params),
            caller=caller,
            may_administer=isinstance(caller, Caller) and caller.role.includes(Role.ADMIN),
            may_operate=isinstance(caller, Caller) and caller.role.includes(Role.OPERATOR),
            may_develop=isinstance(caller, Caller) and caller.role.includes(Role.DEVELOPER),
            has_key="opsloop_key" in request.cookies,
            halt=getattr(request.state, "halt", None),
            **values,
        )
    )
    headers = {**SECURITY_HEADERS, "cache-control": "private, no-cache", "vary": "accept-encoding, accept"}
    body = html.encode("utf-8", "replace")
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status, media_type="text/html; charset=utf-8", headers=headers)


def see_other(address: str) -> Response:
    """The answer to a form: go and look there."""
    return RedirectResponse(address, status_code=303, headers=SECURITY_HEADERS)


def shape_of(facts: Sequence[object]) -> str:
    """What a page's structure was made of, short enough to stand in it."""
    return hashlib.sha256(repr(facts).encode("utf-8", "replace")).hexdigest()[:16]


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("opsloop.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(words.FILTERS)
    environment.globals.update(
        static=static_files.url, ago=words.ago, badge=badge, sections=SECTIONS, opsloop_version=__version__
    )
    return environment
