"""Microsoft's schema of Azure Pipelines."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.patches.linters import running

NAME = "the schema of Azure Pipelines"


def fits(document: Any) -> bool:
    if not isinstance(document, dict) or "on" in document or "apiVersion" in document:
        return False
    return any(isinstance(document.get(name), list) for name in ("steps", "jobs", "stages"))


def passes(documents: list[Any], text: str) -> bool:
    # Its patterns are ECMAScript's without the flag for Unicode.
    return running.by_schema("vendor.azure-pipelines", text, "--regex-variant", "nonunicode")
