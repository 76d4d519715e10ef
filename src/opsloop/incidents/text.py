"""Text of others, as it may be kept."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping

from opsloop.incidents.models import Observed, Subject

MOST_CHARS, MOST_LABELS, MOST_NUMBERS = 1_000, 50, 20


def kept(text: str, most: int = MOST_CHARS) -> str:
    """Text that both databases keep, on one line, cut."""
    return "".join(each if each.isprintable() else " " for each in text[: 4 * most])[:most].strip()


def labels(given: Mapping[str, object]) -> dict[str, str]:
    """At most 50 labels, cut."""
    pairs = list(given.items())[:MOST_LABELS]
    return {
        kept(str(name), 200): kept(str(value), 300) for name, value in pairs if isinstance(value, str | int | float)
    }


def numbers(given: Mapping[str, float]) -> dict[str, float]:
    """At most 20 figures, the finite ones."""
    pairs = list(given.items())[:MOST_NUMBERS]
    return {kept(name, 100): float(value) for name, value in pairs if math.isfinite(value)}


def link(given: str) -> str:
    """An http(s) address; anything else, such as a script, is no link."""
    cleaned = kept(given, 2_000)
    return cleaned if cleaned.lower().startswith(("http://", "https://")) or _is_ours(cleaned) else ""


def _is_ours(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def subject(given: Subject) -> Subject:
    return Subject(kept(given.endpoint, 200), kept(given.service, 200), kept(given.host, 200), labels(given.labels))


def fingerprint(observed: Observed) -> str:
    """What makes a signal the same one when it is told again."""
    said = [observed.source, observed.kind, observed.name]
    said += (
        [observed.key]
        if observed.key
        else [*observed.subject.names, *map(str, sorted(observed.subject.labels.items()))]
    )
    return hashed(*said)


def mark(source: str, kind: str, name: str) -> str:
    """What signals of one detector share, whatever they are about."""
    return hashed(source, kind, name)


def hashed(*said: str) -> str:
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()[:32]
