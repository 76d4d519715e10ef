"""What a channel is told: the same alerts as JSON, in Slack's form, as an e-mail, as an Alertmanager takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from opsloop.monitoring.alerts.models import OURS, Alert, AlertState

KIND = "alerts"
STALE_AFTER = timedelta(minutes=5)
"""An Alertmanager that hears nothing of an alert for so long takes it for resolved."""
_SHOWN = 20


def title(alerts: Sequence[Alert]) -> str:
    """Such as `firing: support-chat, objective-burns (and 2 more)`."""
    firing = [each for each in alerts if each.state is AlertState.FIRING]
    first = (firing or alerts)[0]
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    about = f"{first.endpoint}, {first.rule}" if first.endpoint else first.rule
    return f"{first.state}: {about}{more}"


def as_json(alerts: Sequence[Alert], at: datetime) -> dict[str, Any]:
    """As a webhook gets them."""
    return {"event": KIND, "at": at.isoformat(), "title": title(alerts), "alerts": [_as_json(each) for each in alerts]}


def _as_json(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "endpoint": alert.endpoint or None,
        "severity": alert.severity,
        "state": alert.state,
        "labels": alert.labels,
        "summary": alert.summary,
        "times": alert.times,
        "started_at": alert.started_at.isoformat(),
        "fired_at": _iso(alert.fired_at),
        "resolved_at": _iso(alert.resolved_at),
        "acknowledged_by": alert.acknowledged_by,
    }


def as_slack(alerts: Sequence[Alert]) -> dict[str, Any]:
    """The form of Slack's incoming webhooks."""
    lines = [f"*{_escaped(title(alerts))}*"]
    for each in alerts[:_SHOWN]:
        mark = ":white_check_mark:" if each.state is AlertState.RESOLVED else ":rotating_light:"
        about = f"{each.endpoint}: " if each.endpoint else ""
        lines.append(f"{mark} {each.severity} {_escaped(about + each.summary)} (`opsloop alert show {each.id}`)")
    return {"text": "\n".join(lines)}


def as_letter(alerts: Sequence[Alert]) -> dict[str, Any]:
    """An e-mail's subject and text."""
    lines: list[str] = []
    for each in alerts[:_SHOWN]:
        about = f"{each.endpoint}, {each.rule}" if each.endpoint else each.rule
        lines += [
            f"{each.state.upper()} {about} ({each.severity})",
            f"  {each.summary}",
            f"  since {each.started_at:%Y-%m-%d %H:%M:%S} UTC; opsloop alert show {each.id}",
            "",
        ]
    if len(alerts) > _SHOWN:
        lines.append(f"and {len(alerts) - _SHOWN} more: opsloop alert list")
    return {"subject": f"[opsloop] {title(alerts)}", "text": "\n".join(lines)}


def as_alertmanager(alerts: Sequence[Alert], at: datetime) -> list[dict[str, Any]]:
    """The body of Alertmanager's `POST /api/v2/alerts`. One that fires ends by itself unless it is sent again."""
    return [
        {
            "labels": {
                **{_label(name): str(value) for name, value in each.labels.items()},
                "alertname": each.rule,
                "endpoint": each.endpoint,
                "severity": each.severity,
                "source": OURS,
                "opsloop_alert": each.id,
            },
            "annotations": {"summary": each.summary},
            "startsAt": (each.fired_at or each.started_at).isoformat(),
            "endsAt": (each.resolved_at or at + STALE_AFTER).isoformat(),
        }
        for each in alerts
    ]


def _label(name: str) -> str:
    """A name as Prometheus takes it."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
