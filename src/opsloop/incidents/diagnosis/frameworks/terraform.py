"""Terraform and OpenTofu."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^[│|╷]?\s*Error: \S", 9),
    mark(r"^\s*(?:on|with) \S+\.tf line \d+", 7),
)
