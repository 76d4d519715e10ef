"""Log records that services send: kinds of lines, and how many of each came before the start and since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.redaction import redacted
from opsloop.incidents.causes.models import LogTemplate
from opsloop.incidents.causes.source import Asked, Part, Source
from opsloop.incidents.logs.masking import masked
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import logs
from opsloop.monitoring.telemetry.logs import StoredLog

BEFORE = timedelta(hours=1)
MOST_RECORDS = 10_000
"""Of each side of the start, those nearest to it."""
ERROR = 17
"""OpenTelemetry's severity numbers: 17 to 20 are errors, 21 to 24 fatal."""
LEAST_BEFORE = 50
"""Lines of a service before the start without which a kind of line that is new says nothing."""
MOST_OF_SERVICE = 200

Kind = tuple[str, str]


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    since_us = microseconds(asked.started_at - BEFORE)
    before = logs.between(uow, since_us, asked.start_us, limit=MOST_RECORDS, newest=True)
    after = logs.between(uow, asked.start_us, asked.until_us, limit=MOST_RECORDS)
    return Part(logs=tuple(_templates(before, after, asked)))


def _templates(before: Sequence[StoredLog], after: Sequence[StoredLog], asked: Asked) -> Iterator[LogTemplate]:
    counts = Counter(_kind(each) for each in before)
    of_service = Counter(each.service for each in before)
    # Counts are of the time that the records are of: of very many a part is read, and a sender may be new.
    before_s = (asked.start_us - before[0].at_us) / 1e6 if before else 0.0
    after_s = ((after[-1].at_us if len(after) == MOST_RECORDS else asked.until_us) - asked.start_us) / 1e6
    errors = {_kind(each) for each in after if each.severity >= ERROR}
    shown: Counter[str] = Counter()
    for kind, count in Counter(_kind(each) for each in after).most_common():
        service, template = kind
        shown[service] += 1
        if of_service[service] >= LEAST_BEFORE and shown[service] <= MOST_OF_SERVICE:
            expected = counts[kind] * max(after_s, 1.0) / max(before_s, 1.0)
            yield LogTemplate(service, redacted(template), counts[kind], count, expected, kind in errors)


def _kind(record: StoredLog) -> Kind:
    return record.service, " ".join(masked(record.body).split())[:300]


SOURCE = Source("logs", _read)
