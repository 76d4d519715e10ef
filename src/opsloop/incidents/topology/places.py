"""What a span belongs to, and what it calls outside the spans that are stored.

Source of the attributes: OpenTelemetry semantic conventions 1.27 to 1.36 (peer, server, database, messaging and
generative AI), with the older names that many libraries still send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsloop.incidents import text as texts
from opsloop.monitoring.telemetry.spans import StoredSpan

OURS = "opsloop"
"""The service name under which this platform stores its own spans."""
MOST_CHARS = 200
_OUTWARD = frozenset({"client", "producer"})
_MOST_STEPS = 200


def places(spans: Iterable[StoredSpan]) -> dict[tuple[str, str], str]:
    """What each span belongs to, by its trace and its id: the endpoint for one of this platform's, else its service."""
    by_id = {(each.trace_id, each.span_id): each for each in spans}
    found: dict[tuple[str, str], str] = {}
    for key, span in by_id.items():
        way: list[tuple[str, str]] = []
        at: StoredSpan | None = span
        place = None
        while at is not None and len(way) < _MOST_STEPS:
            here = (at.trace_id, at.span_id)
            place = found.get(here) or _own(at)
            way.append(here)
            # A span that is its own ancestor, by mistake or by malice, ends the walk.
            parent = by_id.get((at.trace_id, at.parent_id)) if at.parent_id else None
            if place is not None or parent is None or parent.service != OURS or parent.span_id == at.span_id:
                break
            at = parent
        for here in way:
            found[here] = place or f"service:{OURS}"
        found.setdefault(key, f"service:{OURS}")
    return found


def _own(span: StoredSpan) -> str | None:
    """None for a span of this platform's that does not name its endpoint."""
    if span.service != OURS:
        return _named("service", span.service)
    endpoint = span.attributes.get("opsloop.endpoint")
    return _named("endpoint", endpoint) if isinstance(endpoint, str) and endpoint else None


def called(span: StoredSpan) -> str | None:
    """What an outward span calls, by its attributes; None for any other span and where they do not say it."""
    if span.kind not in _OUTWARD:
        return None
    given = span.attributes
    collection = _word(given, "gen_ai.data_source.id")
    if collection and _word(given, "gen_ai.operation.name") == "retrieval":
        return _named("collection", collection)
    if service := _word(given, "peer.service", "service.peer.name"):
        return _named("service", service)
    host = _word(given, "server.address", "net.peer.name", "http.host")
    port = given.get("server.port", given.get("net.peer.port"))
    address = f"{host}:{port}" if host and isinstance(port, int) and port not in (80, 443) else host
    if any(name.startswith("gen_ai.") for name in given):
        return _named("provider", address or _word(given, "gen_ai.provider.name", "gen_ai.system"))
    if system := _word(given, "db.system.name", "db.system"):
        where = _word(given, "db.namespace", "db.name") or address
        return _named("database", f"{system}/{where}" if where else system)
    if queue := _word(given, "messaging.destination.name", "messaging.destination"):
        return _named("queue", queue)
    return _named("host", address)


def _word(given: Mapping[str, Any], *names: str) -> str:
    found = next((given[name] for name in names if given.get(name)), "")
    return found if isinstance(found, str) else ""


def _named(kind: str, name: str) -> str | None:
    cleaned = texts.kept(name, MOST_CHARS)
    return f"{kind}:{cleaned}" if cleaned else None
