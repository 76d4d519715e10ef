"""GitHub: workflow runs and check runs that failed, deployments that failed.

A run that succeeds ends the signal of the same workflow on the same branch. Proof: `X-Hub-Signature-256`.
Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.core.notices import signatures
from opsloop.incidents.intake.message import Message, Source, inner, instant, words
from opsloop.incidents.models import Observed, Subject
from opsloop.incidents.settings import IncidentSettings

HEADER = "x-hub-signature-256"
_FAILED = ("failure", "timed_out", "startup_failure")


def _is_signed(headers: Mapping[str, str]) -> bool:
    return HEADER in headers


def _proves(settings: IncidentSettings, message: Message) -> bool:
    secret = settings.hook_github_secret
    return bool(secret) and signatures.is_hub(secret or "", message.body, message.headers.get(HEADER, ""))


def _delivery(message: Message, payload: dict[str, Any]) -> str:
    # Its id is not signed, so a body that is sent again under another id is the same delivery.
    return hashlib.sha256(message.body).hexdigest()


def _signals(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    kind = message.headers.get("x-github-event", "")
    if kind == "workflow_run" and payload.get("action") == "completed":
        return _run(message, payload, inner(payload, "workflow_run"))
    if kind == "check_run" and payload.get("action") == "completed":
        return _run(message, payload, inner(payload, "check_run"))
    if kind == "deployment_status":
        return _deployment(message, payload)
    return ()


def _run(message: Message, payload: dict[str, Any], run: Any) -> Sequence[Observed]:
    conclusion = words(run, "conclusion")
    if conclusion not in (*_FAILED, "success"):
        return ()
    repository, name = words(payload, "repository", "full_name"), words(run, "name") or "workflow"
    branch = words(run, "head_branch") or words(run, "check_suite", "head_branch")
    labels = {
        "repository": repository,
        "branch": branch,
        "commit": words(run, "head_sha"),
        "run": words(run, "id"),
        "event": words(run, "event"),
        "logs": words(run, "logs_url"),
    }
    return (
        Observed(
            "github",
            "ci",
            name,
            "ticket",
            Subject(service=repository, labels=labels),
            f"{name} of {repository} on {branch or 'no branch'}: {conclusion}",
            instant(inner(run, "run_started_at") or inner(run, "started_at"), message.at),
            ended_at=message.at if conclusion == "success" else None,
            key=f"{repository} {branch}",
            link=words(run, "html_url"),
        ),
    )


def _deployment(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    state = words(payload, "deployment_status", "state")
    if state not in ("failure", "error", "success"):
        return ()
    repository = words(payload, "repository", "full_name")
    where = words(payload, "deployment", "environment") or "an environment"
    return (
        Observed(
            "github",
            "deployment",
            f"deployment to {where}",
            "ticket",
            Subject(service=repository, labels={"commit": words(payload, "deployment", "sha")}),
            f"deployment of {repository} to {where}: {state}",
            instant(inner(payload, "deployment_status", "created_at"), message.at),
            ended_at=message.at if state == "success" else None,
            key=f"{repository} {where}",
            link=words(payload, "deployment_status", "log_url"),
        ),
    )


SOURCE = Source("github", "OPSLOOP_HOOK_GITHUB_SECRET", _is_signed, _proves, _delivery, _signals)
