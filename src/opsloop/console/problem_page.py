"""Problems as pages: the same sentence that a program gets as a problem document, for a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.words import segment

_TITLES = {
    401: "Sign in first",
    403: "You may not do this",
    404: "There is no such page",
    409: "That does not go together",
    422: "That is not understood",
    500: "Something went wrong here",
    503: "Not available for now",
}
_OF_PROGRAMS = ("/api/", "/v1/", "/static/")


def wants_page(request: Request) -> bool:
    """Whether a person is looking: a browser that asks for a page, at an address that is not a program's."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_OF_PROGRAMS)


def problem_page(request: Request, document: Mapping[str, Any]) -> Response:
    """The page of a problem document; who is not known is sent to sign in, and then back."""
    status = int(document["status"])
    if status == 401 and request.url.path != "/sign-in":
        back = request.url.path if request.method == "GET" else "/"
        return see_other(f"/sign-in?to={segment(back)}")
    frame = Frame(_TITLES.get(status, str(document.get("title", "A problem"))), trail=(Place("Overview", "/"),))
    return page(request, "problem.html", frame, status=status, problem=document)
