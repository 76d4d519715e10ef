"""Requests that no endpoint answers: questions to documents, uploads, embeddings. Each counts under its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opsloop.core.clock import Clock
from opsloop.llm.tabs import Tab, opened
from opsloop.monitoring.models import RequestRecord, Status
from opsloop.monitoring.recorder import Recorder


@dataclass(slots=True)
class Answered:
    """How a request was answered, as far as that is known."""

    http_status: int = 200


class Beside:
    """Args: new_id: of a record."""

    def __init__(self, recorder: Recorder, clock: Clock, new_id: Callable[[], str]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._new_id = new_id

    @contextmanager
    def counted(self, path: str, *, request_id: str, key: str | None) -> Iterator[Answered]:
        """Keep a record of what the work inside used. Args: path: one of few, such as `/query`."""
        started_at, started_s = self._clock.now(), self._clock.monotonic_s()
        status: Status = "error"
        error_type: str | None = None
        tab, answered = Tab(), Answered()
        try:
            with opened(tab):
                yield answered
            status = "ok" if answered.http_status < 400 else "error"
        except BaseException as error:
            status = "error" if isinstance(error, Exception) else "cancelled"
            error_type = type(error).__name__
            raise
        finally:
            calls = tab.take()
            self._recorder.record(
                RequestRecord(
                    id=self._new_id(),
                    request_id=request_id,
                    endpoint=path,
                    release="",
                    arm="stable",
                    subject="",
                    started_at=started_at,
                    duration_ms=(self._clock.monotonic_s() - started_s) * 1000,
                    status=status,
                    http_status=answered.http_status,
                    error_type=error_type,
                    tokens_in=sum(each.tokens_in for each in calls),
                    tokens_out=sum(each.tokens_out for each in calls),
                    api_key=key or "",
                    calls=calls,
                )
            )
