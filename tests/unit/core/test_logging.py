"""Log lines: what a traceback shows, and what it must not."""

from __future__ import annotations

import io
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from opsloop.core.telemetry import logging


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
