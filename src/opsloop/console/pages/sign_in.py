"""`/sign-in`: hand in an API key once; the browser keeps it where no script can read it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import system
from opsloop.core.errors import Denied
from opsloop.core.identity import keys
from opsloop.core.identity.keys import KeyUnknown
from opsloop.core.web.dependencies import Opened

router = PageRouter()
COOKIE = "opsloop_key"
LIFETIME_S = 12 * 3_600


class ForeignForm(Denied):
    template = "a page of another site may not sign you in or out here"


def _refuse_foreign(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignForm()


def _way_back(to: str) -> str:
    """A path of this console; anything else, such as another site's address, is the overview."""
    is_own = to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable()
    return to if is_own else "/"


@router.get("/sign-in")
def form(request: Request, to: Annotated[str, "where to go afterwards"] = "/") -> Response:
    return page(request, "sign_in.html", Frame("Sign in"), to=_way_back(to), fault="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    workspace: Opened,
    key: Annotated[str, Form(max_length=500)] = "",
    to: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """A cookie with the key, if it is one."""
    _refuse_foreign(request)
    secret = key.strip()
    try:
        with workspace.reading(system("console")) as uow:
            keys.caller_of(uow, secret)
    except KeyUnknown as error:
        return page(request, "sign_in.html", Frame("Sign in"), status=401, to=_way_back(to), fault=error.sentence)
    answer = see_other(_way_back(to))
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=LIFETIME_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    _refuse_foreign(request)
    answer = see_other("/sign-in")
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer
