"""GitLab: pipelines and jobs that failed; one that succeeds ends the signal of its branch.

Proof: the token in `X-Gitlab-Token`. Source: https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.incidents.intake.message import Message, Source, inner, instant, words
from opsloop.incidents.models import Observed, Subject
from opsloop.incidents.settings import IncidentSettings

HEADER = "x-gitlab-token"


def _is_signed(headers: Mapping[str, str]) -> bool:
    return HEADER in headers


def _proves(settings: IncidentSettings, message: Message) -> bool:
    token = settings.hook_gitlab_token or ""
    return bool(token) and hmac.compare_digest(token.encode(), message.headers.get(HEADER, "").encode())


def _delivery(message: Message, payload: dict[str, Any]) -> str:
    return message.headers.get("x-gitlab-event-uuid") or hashlib.sha256(message.body).hexdigest()


def _signals(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    kind = words(payload, "object_kind")
    if kind == "pipeline":
        given, name = inner(payload, "object_attributes"), "pipeline"
        status, run, began = words(given, "status"), words(given, "id"), inner(given, "created_at")
        ref, commit, link = words(given, "ref"), words(given, "sha"), words(given, "url")
    elif kind == "build":
        status, name, run = words(payload, "build_status"), words(payload, "build_name"), words(payload, "build_id")
        ref, commit, began, link = words(payload, "ref"), words(payload, "sha"), payload.get("build_started_at"), ""
        if payload.get("build_allow_failure") is True:
            return ()
    else:
        return ()
    if status not in ("failed", "success"):
        return ()
    project = words(payload, "project", "path_with_namespace") or words(payload, "project_name")
    if not link and (home := words(payload, "project", "web_url")):
        link = f"{home}/-/jobs/{run}"
    return (
        Observed(
            "gitlab",
            "ci",
            name or "job",
            "ticket",
            Subject(service=project, labels={"repository": project, "branch": ref, "commit": commit, "run": run}),
            f"{name} of {project} on {ref}: {status}",
            instant(began, message.at),
            ended_at=message.at if status == "success" else None,
            key=f"{project} {ref}",
            link=link,
        ),
    )


SOURCE = Source("gitlab", "OPSLOOP_HOOK_GITLAB_TOKEN", _is_signed, _proves, _delivery, _signals)
