"""The fields of Kubernetes' common objects."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.patches import fields

NAME = "the table of Kubernetes' fields"
fits = fields.fits


def passes(documents: list[Any], text: str) -> bool:
    return not any(True for document in documents for _ in fields.unknown(document))
