"""Azure DevOps: builds and releases that failed; one that succeeds ends the signal of its definition and branch.

Proof: basic authentication of the service hook.
Source: https://learn.microsoft.com/en-us/azure/devops/service-hooks/events
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.incidents.intake.message import Message, Source, inner, instant, words
from opsloop.incidents.models import Observed, Subject
from opsloop.incidents.settings import IncidentSettings

_BASIC = "basic "


def _is_signed(headers: Mapping[str, str]) -> bool:
    return headers.get("authorization", "").lower().startswith(_BASIC)


def _proves(settings: IncidentSettings, message: Message) -> bool:
    wanted = settings.hook_azure_devops_password or ""
    try:
        shown = base64.b64decode(message.headers.get("authorization", "")[len(_BASIC) :], validate=True)
    except (binascii.Error, ValueError):
        return False
    password = shown.partition(b":")[2]
    return bool(wanted) and hmac.compare_digest(wanted.encode(), password)


def _delivery(message: Message, payload: dict[str, Any]) -> str:
    return words(payload, "id") or hashlib.sha256(message.body).hexdigest()


def _signals(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    kind, given = words(payload, "eventType"), inner(payload, "resource")
    if kind == "build.complete":
        name, result = words(given, "definition", "name") or "build", words(given, "result").lower()
    elif kind == "ms.vss-pipelines.run-state-changed-event":
        given = inner(given, "run")
        name, result = words(given, "pipeline", "name") or "pipeline", words(given, "result").lower()
    else:
        return ()
    if result not in ("failed", "partiallysucceeded", "succeeded"):
        return ()
    project = words(payload, "resourceContainers", "project", "id") or words(given, "project", "name")
    repository = words(given, "repository", "name") or words(given, "project", "name") or project
    branch = words(given, "sourceBranch").removeprefix("refs/heads/")
    labels = {
        "repository": repository,
        "branch": branch,
        "commit": words(given, "sourceVersion"),
        "run": words(given, "id"),
    }
    return (
        Observed(
            "azure-devops",
            "ci",
            name,
            "ticket",
            Subject(service=repository, labels=labels),
            words(payload, "message", "text") or f"{name}: {result}",
            instant(inner(given, "startTime") or inner(given, "createdDate"), message.at),
            ended_at=message.at if result == "succeeded" else None,
            key=f"{project} {repository} {branch}",
            link=words(given, "_links", "web", "href"),
        ),
    )


SOURCE = Source("azure-devops", "OPSLOOP_HOOK_AZURE_DEVOPS_PASSWORD", _is_signed, _proves, _delivery, _signals)
