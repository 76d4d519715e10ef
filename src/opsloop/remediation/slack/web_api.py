"""One call of Slack's Web API. No sentence holds the token or what was sent.

Source: https://docs.slack.dev/apis/web-api, methods chat.postMessage and chat.update
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from opsloop._version import __version__
from opsloop.core.errors import Failed, Unavailable
from opsloop.remediation.settings import RemediationSettings

POST, UPDATE = "chat.postMessage", "chat.update"
TIMEOUT_S = 10.0
READ_BYTES = 1_000_000
_PASSES = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"}
)


class SlackAway(Unavailable):
    template = "Slack's {method} got no clear answer ({said})"


class SlackRefuses(Failed):
    template = "Slack refuses {method}: {said}"


def call(settings: RemediationSettings, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """What it answers. Raises: SlackAway when it may work later, SlackRefuses."""
    headers = {
        "authorization": f"Bearer {settings.remediation_slack_token}",
        "content-type": "application/json; charset=utf-8",
        "user-agent": f"opsloop/{__version__}",
    }
    url = f"{settings.remediation_slack_api.rstrip('/')}/{method}"
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=json.dumps(body).encode(), headers=headers) as answer,
        ):
            said = _read(answer)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        raise SlackAway(method=method, said=type(error).__name__) from None
    if answer.status_code == 429 or answer.status_code >= 500:
        raise SlackAway(method=method, said=str(answer.status_code))
    if said is None or answer.status_code != 200:
        raise SlackRefuses(method=method, said=f"it answered {answer.status_code}")
    if said.get("ok") is not True:
        wrong = _word(said.get("error"))
        raise (SlackAway if wrong in _PASSES else SlackRefuses)(method=method, said=wrong)
    return said


def _read(answer: httpx.Response) -> dict[str, Any] | None:
    read = bytearray()
    for part in answer.iter_bytes():
        read += part
        if len(read) > READ_BYTES:
            return None
    try:
        found = json.loads(read)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _word(given: object) -> str:
    """An error's name such as `channel_not_found`; anything else is not repeated."""
    is_name = isinstance(given, str) and given.isascii() and given.replace("_", "").isalnum() and len(given) <= 60
    return str(given) if is_name else "an error without a name"
