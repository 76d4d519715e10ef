"""GitHub's schema of workflows."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.patches.linters import running

NAME = "GitHub's schema"


def fits(document: Any) -> bool:
    return isinstance(document, dict) and "jobs" in document and "on" in document


def passes(documents: list[Any], text: str) -> bool:
    return running.by_schema("vendor.github-workflows", text)
