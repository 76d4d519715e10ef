"""Who calls: an API key, or nobody in particular on this machine.

With `auth: auto` a platform that listens on the loopback interface takes a caller without a key for the person at this
machine, but only when the request is addressed to a loopback name and does not come from another site's page: a web
page elsewhere must not reach it through the visitor's browser (DNS rebinding, cross-site requests).
"""

from __future__ import annotations

import getpass
import ipaddress
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from opsloop.core.caller import Caller, Role, system
from opsloop.core.errors import Denied, Failed, Unauthenticated, shown
from opsloop.core.identity import keys
from opsloop.core.settings import Section
from opsloop.core.workspace import Workspace

LOOPBACK_NAMES = {"localhost", "ip6-localhost", "opsloop.local"}
_SAFE = {"GET", "HEAD", "OPTIONS"}
COOKIE = "opsloop_key"
"""Where the console's sign-in leaves a browser's key."""


class AuthSettings(Section):
    auth: Literal["auto", "keys"] = Field(
        "auto", description="Who may call: auto: this machine's user without a key on loopback; keys: API keys only."
    )


class KeyNeeded(Unauthenticated):
    template = (
        "an API key is needed: send `Authorization: Bearer KEY` (OPSLOOP_TOKEN for commands); without any, stop the "
        "platform and make one on its machine with `opsloop token create NAME --role admin`"
    )


class ForeignOrigin(Denied):
    template = "a request from {origin} may not act here without an API key"


class ForeignHost(Denied):
    template = "this platform answers on this machine only; the request was addressed to {host}"


class OpenToAll(Failed):
    template = (
        "refusing to listen on {host} without authentication: make a key first with `opsloop token create NAME` "
        "and set OPSLOOP_AUTH=keys"
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    host = host.strip("[]").lower()
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open_door(workspace: Workspace, host: str) -> None:
    """Raises: OpenToAll when others could reach the platform and nothing would ask who they are."""
    if is_loopback(host):
        return
    with workspace.reading(system("server")) as uow:
        guarded = workspace.section(AuthSettings).auth == "keys" and keys.any_usable(uow)
    if not guarded:
        raise OpenToAll(host=host)


def caller_of(workspace: Workspace, headers: Headers, *, method: str, listens_on_loopback: bool) -> Caller:
    """The caller of a request. Raises: KeyNeeded, KeyUnknown, ForeignOrigin, ForeignHost."""
    secret = _secret(headers)
    if secret is not None and (secret.startswith(keys.PREFIX) or workspace.section(AuthSettings).auth == "keys"):
        with workspace.reading(system("server")) as uow:
            return keys.caller_of(uow, secret)
    if workspace.section(AuthSettings).auth == "keys" or not listens_on_loopback:
        return _signed_in(workspace, headers, method)
    _same_machine(headers, method)
    return Caller(f"local:{_user()}", Role.ADMIN)


def _signed_in(workspace: Workspace, headers: Headers, method: str) -> Caller:
    """The holder of the key in a browser's cookie. Raises: KeyNeeded, KeyUnknown, ForeignOrigin."""
    secret = cookie_parser(headers.get("cookie", "")).get(COOKIE)
    if not secret:
        raise KeyNeeded()
    # A cookie comes along by itself, also from a page on another port of this host: only our own pages may act with it.
    origin = headers.get("origin")
    if method not in _SAFE and origin is not None and _split(origin).netloc != headers.get("host"):
        raise ForeignOrigin(origin=shown(origin))
    with workspace.reading(system("server")) as uow:
        return keys.caller_of(uow, secret)


def _secret(headers: Headers) -> str | None:
    # Clients of the OpenAI protocol always send a key; on loopback any text will do there, as with other local servers.
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _same_machine(headers: Headers, method: str) -> None:
    named = headers.get("host", "localhost")
    if not is_loopback(_split(f"//{named}").hostname or ""):
        raise ForeignHost(host=shown(named))
    origin = headers.get("origin")
    if origin and method not in _SAFE and not is_loopback(_split(origin).hostname or ""):
        raise ForeignOrigin(origin=shown(origin))


def _split(url: str) -> SplitResult:
    """The parts of a URL that somebody sent; empty ones for what is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
