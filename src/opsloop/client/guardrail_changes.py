"""How the guardrails of an endpoint differ from what a project declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsloop.client.http import Client
from opsloop.core.errors import NotFound

NOTHING = "allow"


def differences(client: Client, endpoint: str, wanted: Mapping[str, Any]) -> list[str] | None:
    """What is to change, one text each; None where the endpoint is not there yet."""
    try:
        present = client.guardrails.get(endpoint).policy
    except NotFound:
        return None
    return list(_differences(present, wanted))


def _differences(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key in ("requests", "answers"):
        before, after = present[key], wanted[key]
        for word in sorted({*before, *after}):
            was, is_to_be = before.get(word, NOTHING), after.get(word, NOTHING)
            if was != is_to_be:
                yield f"{key}.{word} {was} → {is_to_be}"
    if present["allow"] != wanted["allow"]:
        yield f"allow {', '.join(present['allow']) or 'nothing'} → {', '.join(wanted['allow']) or 'nothing'}"
    for key in ("stored", "hand_over"):
        if present[key] != wanted[key]:
            yield f"{key} {present[key]} → {wanted[key]}"
