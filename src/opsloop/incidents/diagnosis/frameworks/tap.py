"""Test Anything Protocol."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\s*not ok \d+(?! .*# (?:TODO|SKIP))", 9.6),
    mark(r"^Bail out!", 9),
)
