"""A model server: where it is, how it wants to be addressed, and what it is shown as a key.

Two ways of addressing are in use. `openai` puts the model into the body, `azure` puts the deployment into the path
and a version of the API into the query; serverless endpoints of Azure and nearly all others speak the first.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from opsloop.core.errors import InvalidInput

AZURE_API_VERSION = "2024-10-21"
_SECRET_CHARS = 6


class ServerKind(StrEnum):
    OPENAI = "openai"
    AZURE = "azure"


class Operation(StrEnum):
    """What a server is asked to do; the value is the end of its address."""

    CHAT = "chat/completions"
    COMPLETE = "completions"
    EMBED = "embeddings"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Keys, tokens and headers stay out of its repr.

    Args:
        base_url: of kind openai with the version, `https://api.openai.com/v1`; of kind azure the resource,
            `https://mine.openai.azure.com`, with or without `/openai`; Azure's newer `…/openai/v1` takes the model
            in the body.
        api_version: of kind azure only; unset: `AZURE_API_VERSION`.
        organization: sent as `OpenAI-Organization`.
        headers: sent with each call, over those made from the key.
        token: gives a bearer token that is valid now, instead of a key (Entra ID); called for each try of a call.
        calls_per_minute: most calls to begin in a minute, for each model; unset: as many as the server takes.
    Raises: InvalidInput when the address is none.
    """

    base_url: str
    kind: ServerKind = ServerKind.OPENAI
    api_key: str | None = field(default=None, repr=False)
    api_version: str | None = None
    organization: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    token: Callable[[], str] | None = field(default=None, repr=False)
    calls_per_minute: int | None = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.base_url.strip())
            has_host = bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            has_host = False
        if not has_host or parts.scheme not in ("http", "https"):
            wanted = "an address such as https://api.openai.com/v1"
            shown = self.base_url if "@" not in self.base_url else "(not shown, it may hold a password)"
            raise InvalidInput(field="base_url of a model server", value=shown, wanted=wanted)

    def __repr__(self) -> str:
        return f"ModelServer({self.address!r}, kind={self.kind.value!r})"

    @property
    def address(self) -> str:
        """`base_url` as it may be shown: without a password, a query or an ending slash."""
        return _without_secrets(self.base_url)

    @property
    def names_model_in_path(self) -> bool:
        return self.kind is ServerKind.AZURE and not self._base().endswith("/openai/v1")

    def url(self, operation: Operation, model: str) -> str:
        """Where to ask `model` (of kind azure: the deployment) for an operation."""
        base, query = self._base(), urlsplit(self.base_url.strip()).query
        if not self.names_model_in_path:
            return f"{base}/{operation}" + (f"?{query}" if query else "")
        base = base.removesuffix("/openai")
        version = urlencode({"api-version": self.api_version or AZURE_API_VERSION})
        return f"{base}/openai/deployments/{quote(model, safe='')}/{operation}?{version}"

    def request_headers(self) -> dict[str, str]:
        """The headers that say who asks; they hold secrets. Raises: InvalidInput when one is no header."""
        headers = {}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token()}"
        elif self.api_key and self.kind is ServerKind.AZURE:
            headers["api-key"] = self.api_key
        elif self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        elif (basic := _basic(self.base_url)) is not None:
            headers["authorization"] = basic
        if self.organization:
            headers["openai-organization"] = self.organization
        headers |= {name.lower(): value for name, value in self.headers.items()}
        return {name: self._checked(name, value.strip()) for name, value in headers.items()}

    def _checked(self, name: str, value: str) -> str:
        if not value.isprintable():  # the value is a secret and is not shown
            where = f"header {name} for the model server at {self.address}"
            raise InvalidInput(f"{where}: wanted a value (the key?) of plain characters, without line ends")
        return value

    def hidden(self, text: str) -> str:
        """A text of the server as it may be shown, should it repeat what it was shown as a key."""
        login = urlsplit(self.base_url.strip()).netloc.rpartition("@")[0]
        for secret in (self.api_key, login, *self.headers.values()):
            if secret and len(secret) >= _SECRET_CHARS:
                text = text.replace(secret, "***")
        return text

    def _base(self) -> str:
        return _without_secrets(self.base_url)


def _without_secrets(url: str) -> str:
    parts = urlsplit(url.strip())
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _basic(url: str) -> str | None:
    """The header for `https://user:password@host`."""
    login, at, _ = urlsplit(url.strip()).netloc.rpartition("@")
    if not at:
        return None
    return "Basic " + base64.b64encode(unquote(login).encode()).decode()
