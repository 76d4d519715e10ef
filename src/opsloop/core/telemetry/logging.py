"""Structured logs on stderr: readable text on a terminal, one JSON object a line elsewhere.

The event is a constant, everything else is a field: `log.info("release_promoted", release=…)`.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Lines:
    """A stream whose writes never fail: a log on a disk that is full must not cost anybody the answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(
    *,
    level: str,
    form: str,
    stream: TextIO | None = None,
    redact: Processor | None = None,
    export: Processor | None = None,
) -> None:
    """Set up this process's logs; lines of other libraries take the same form.

    Args:
        level: debug, info, warning or error.
        form: `json`, `text`, or `auto`: text when the stream is a terminal.
        redact: takes what nobody should read out of a line, its traceback too, before it is written.
        export: takes lines, after `redact`, to where they go beside the stream.
    """
    stream = stream or sys.stderr
    lines = _Lines(stream)
    as_text = form == "text" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor] = (
        # Tracebacks without the values of variables, which may be keys, or what users wrote.
        [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    between = [each for each in (redact, export) if each is not None]
    if between:
        render = [structlog.processors.format_exc_info, *between, render[-1]]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, lines)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(lines)
    formatter_of = structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter_of(foreign_pre_chain=shared, processors=[formatter_of.remove_processors_meta, *render])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
