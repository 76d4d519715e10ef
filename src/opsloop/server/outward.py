"""What a process that serves tells of itself: its log, and where a collector is named its spans and metrics too."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from structlog.typing import Processor

from opsloop.core.settings import CoreSettings
from opsloop.core.telemetry import logging
from opsloop.core.telemetry.otlp.export import exporting
from opsloop.guardrails.redaction import log_redactor
from opsloop.monitoring import metrics


def telling(settings: CoreSettings, file_values: Mapping[str, Any] | None) -> AbstractContextManager[None]:
    """While the block runs; what leaves is redacted as the log is."""

    def configure(export: Processor | None) -> None:
        redact = log_redactor(file_values)
        logging.configure(level=settings.log_level, form=settings.log_format, redact=redact, export=export)

    return exporting(file_values, configure=configure, collect=metrics.REGISTRY.collect, lost=metrics.lose_telemetry)
