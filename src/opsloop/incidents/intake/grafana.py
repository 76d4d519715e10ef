"""Grafana: alerts of its unified alerting.

Proof: the HMAC in `X-Grafana-Alerting-Signature`, over `time:body` where the sender adds a time (it should: then an old
message cannot be sent again). Source: Grafana's documentation, "Configure the webhook notifier for Alerting".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.core.notices.signatures import TOLERANCE_S
from opsloop.incidents import text as texts
from opsloop.incidents.intake.message import Message, Source, inner, instant, severity, words
from opsloop.incidents.models import Observed, Subject
from opsloop.incidents.settings import IncidentSettings

HEADER, TIME_HEADER = "x-grafana-alerting-signature", "x-grafana-alerting-timestamp"
MOST = 1_000


def _is_signed(headers: Mapping[str, str]) -> bool:
    return HEADER in headers


def _proves(settings: IncidentSettings, message: Message) -> bool:
    secret, stamp = settings.hook_grafana_secret or "", message.headers.get(TIME_HEADER)
    signed = message.body if stamp is None else stamp.encode() + b":" + message.body
    if stamp is not None and not _is_fresh(stamp, message.at.timestamp()):
        return False
    found = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(found.encode(), message.headers.get(HEADER, "").encode())


def _is_fresh(stamp: str, now_s: float) -> bool:
    return stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12 and abs(now_s - int(stamp)) <= TOLERANCE_S


def _delivery(message: Message, payload: dict[str, Any]) -> str:
    # Without a time in it the same body may be told again in earnest: an alert that goes on.
    stamp = message.headers.get(TIME_HEADER)
    return "" if stamp is None else hashlib.sha256(stamp.encode() + b":" + message.body).hexdigest()


def _signals(message: Message, payload: dict[str, Any]) -> Sequence[Observed]:
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise InvalidInput("alerts: is missing; wanted a list, as Grafana's unified alerting sends", field="alerts")
    if len(alerts) > MOST:
        raise InvalidInput(f"alerts: {len(alerts)} in one message; wanted at most {MOST}", field="alerts")
    return [_alert(message, each) for each in alerts if isinstance(each, dict)]


def _alert(message: Message, alert: dict[str, Any]) -> Observed:
    given = inner(alert, "labels")
    labels = texts.labels(given if isinstance(given, dict) else {})
    name = labels.get("alertname") or "alert"
    values = inner(alert, "values")
    numbers = {str(key): float(value) for key, value in values.items() if _is_number(value)} if values else {}
    return Observed(
        "grafana",
        "alert",
        name,
        severity(labels.get("severity", "")),
        subject_of(labels),
        words(alert, "annotations", "summary") or words(alert, "annotations", "description") or name,
        instant(alert.get("startsAt"), message.at),
        ended_at=message.at if words(alert, "status") == "resolved" else None,
        key=words(alert, "fingerprint"),
        numbers=numbers,
        link=words(alert, "panelURL") or words(alert, "generatorURL"),
    )


def subject_of(labels: Mapping[str, str]) -> Subject:
    """What labels of the usual names say an alert is about."""
    service = next((labels[name] for name in ("service", "service_name", "app", "deployment") if labels.get(name)), "")
    host = next((labels[name] for name in ("host", "node", "instance") if labels.get(name)), "")
    return Subject(labels.get("endpoint", ""), service or labels.get("job", ""), host, dict(labels))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


SOURCE = Source("grafana", "OPSLOOP_HOOK_GRAFANA_SECRET", _is_signed, _proves, _delivery, _signals)
