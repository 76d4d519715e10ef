"""The standing watch: read what is new of every series, tell where it left its range.

Each series is a transaction of its own that holds the row of how far it was read: two processes do not read a point
twice, and after a crash the reading goes on where it was committed.
"""

from __future__ import annotations

import json
from datetime import timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents.anomalies import sources
from opsloop.incidents.anomalies._tables import AnomalyRow, WatchRow
from opsloop.incidents.anomalies.detector import STRICT, Detector, Reading
from opsloop.incidents.anomalies.events import MetricAnomalyFound
from opsloop.incidents.anomalies.models import Watched
from opsloop.monitoring.instants import instant_of, microseconds

BY = system("anomalies")
WINDOW = 2_000
REFRACTORY = 60
KEPT = timedelta(days=90)
DIGITS = 7
log = structlog.get_logger()


def watch(workspace: Workspace) -> int:
    """Read on in every series; returns how many anomalies were found."""
    with workspace.reading(BY) as uow:
        due = [each for each in sources.watched(uow) if _has_new(uow, each)]
    found = 0
    for series in due:
        with workspace.writing(BY) as uow:
            found += _read_on(uow, series)
    return found


def prune(workspace: Workspace) -> None:
    """Forget anomalies that are older than 90 days, and series without a point for as long."""
    with workspace.writing(BY) as uow:
        before_us = microseconds(uow.clock.now() - KEPT)
        uow.session.execute(delete(AnomalyRow).where(AnomalyRow.at_us < before_us))
        uow.session.execute(delete(WatchRow).where(WatchRow.read_us < before_us))


def _has_new(uow: UnitOfWork, series: Watched) -> bool:
    read_us = uow.session.scalar(select(WatchRow.read_us).where(WatchRow.series == series.id))
    after_us = sources.start_us(uow, series) if read_us is None else read_us
    return sources.points(uow, series, after_us=after_us).until_us > after_us


def _read_on(uow: UnitOfWork, series: Watched) -> int:
    row = _held(uow, series)
    read = sources.points(uow, series, after_us=row.read_us)
    row.read_us = read.until_us
    if not read.points:
        return 0
    detector = _detector(row)
    found = 0
    for at_us, value in read.points:
        reading = detector.read(value)
        if reading.is_alarm:
            found += 1
            _tell(uow, series, at_us, value, reading)
    row.state = _text(detector)
    return found


def _held(uow: UnitOfWork, series: Watched) -> WatchRow:
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    new = insert(WatchRow).values(series=series.id, read_us=sources.start_us(uow, series), state=None)
    uow.session.execute(new.on_conflict_do_nothing())
    return uow.session.scalars(select(WatchRow).where(WatchRow.series == series.id).with_for_update()).one()


def _detector(row: WatchRow) -> Detector:
    if row.state is not None:
        try:
            return Detector.restore(json.loads(row.state), threshold=STRICT, refractory=REFRACTORY, window=WINDOW)
        except ValueError as error:  # written by another version: the series is learned anew
            log.warning("anomaly_state_unreadable", series=row.series, error=str(error))
    return Detector(threshold=STRICT, refractory=REFRACTORY, window=WINDOW)


def _text(detector: Detector) -> str:
    state = detector.state()
    short = {name: [float(f"{each:.{DIGITS}g}") for each in state[name]] for name in ("last", "window")}
    return json.dumps(state | short, separators=(",", ":"))


def _tell(uow: UnitOfWork, series: Watched, at_us: int, value: float, reading: Reading) -> None:
    way = "above" if value > reading.usual else "below"
    sentence = (
        f"{series.metric} of {series.subject} is {value:.4g}, {way} the usual {reading.usual:.4g}; "
        f"the last points lie {reading.score:.1f} times as far from it as 99.5 % of those before"
    )
    found = MetricAnomalyFound(
        anomaly=uow.ids.new("anomaly"),
        subject=series.subject,
        series=sources.short_id(series.id),
        metric=series.metric,
        at=instant_of(at_us).isoformat(),
        value=value,
        usual=reading.usual,
        score=round(reading.score, 3),
        sentence=sentence,
    )
    uow.session.add(
        AnomalyRow(
            id=found.anomaly,
            series=found.series,
            subject=found.subject,
            metric=found.metric,
            at_us=at_us,
            value=value,
            usual=found.usual,
            score=found.score,
            sentence=sentence,
        )
    )
    uow.emit(found)
