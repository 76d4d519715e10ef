"""Sentences of records: one line each, closed with a full stop, so that each can be quoted alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from opsloop.guardrails.redaction import redacted

LONGEST = 1_000


def lines(said: Iterable[str]) -> str:
    """Each as one sentence on a line of its own; what others wrote stays within its line, and secrets are masked."""
    return redacted("\n".join(_closed(each) for each in said if each.strip()))


def at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"


def _closed(said: str) -> str:
    line = " ".join(said.split())[:LONGEST]
    return line if line[-1] in ".!?" else f"{line}."
