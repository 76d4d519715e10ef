"""The report as one JSON document."""

from __future__ import annotations

import msgspec

from opsloop.evaluation.reports.document import ReportDocument
from opsloop.evaluation.reports.registry import ReportForm, register


def render(report: ReportDocument) -> str:
    return msgspec.json.encode(report).decode()


register(ReportForm("json", "application/json", render))
