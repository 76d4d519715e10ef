"""Log lines: what a traceback shows, and what it must not."""

from __future__ import annotations

import errno
import io
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from opsloop.core.telemetry import logging
from opsloop.guardrails.redaction import redact_log_line


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = standard.getLogger()
    handlers, level, kept = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**kept)


def call_with(api_key: str) -> None:
    raise ValueError(f"refused, {len(api_key)} characters")


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_nobody_should_read_is_taken_out_of_lines_and_tracebacks(form: str) -> None:
    out = io.StringIO()
    logging.configure(level="info", form=form, stream=out, redact=redact_log_line)
    mail = "@".join(["maria.lopez", "example.com"])  # whole in no line of code, which a traceback shows
    structlog.get_logger().info("asked", by=mail, told=[{"to": mail}], request="req_1")
    standard.getLogger("library").warning("no such user: %s", mail)
    try:
        raise ValueError(f"no such user: {mail}")
    except ValueError:
        structlog.get_logger().exception("request_failed")
        standard.getLogger("library").exception("library_failed")
    told = out.getvalue()
    assert mail not in told
    assert told.count("[EMAIL]") == 5
    assert "req_1" in told


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_names_the_lines_and_not_the_values_of_variables(form: str) -> None:
    out = io.StringIO()
    logging.configure(level="info", form=form, stream=out)
    secret = "-".join(["sk", "very", "secret"])  # whole in no line of code, which a traceback shows
    try:
        call_with(secret)
    except ValueError:
        structlog.get_logger().exception("request_failed")
        standard.getLogger("library").exception("library_failed")
    told = out.getvalue()
    assert told.count("in call_with") == 2
    assert "ValueError: refused, 14 characters" in told
    assert secret not in told


class _Full(io.StringIO):
    """A stream on a disk that is full."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    logging.configure(level="info", form="json", stream=_Full())

    structlog.get_logger().info("request_refused", request="req_1")
