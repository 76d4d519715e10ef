"""Take signals in: each once, into the incident that it belongs to.

A batch costs a few statements and one comparison per signal with the open incidents, however many came before. When
incidents would open faster than people can read, the nearest one takes what comes: ten thousand alerts in a minute are
a handful of incidents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sqlalchemy import func, select, text

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import text as texts
from opsloop.incidents._tables import DetectorRow, IncidentEntryRow, IncidentRow, SignalRow
from opsloop.incidents.correlation import grouping, topology
from opsloop.incidents.events import IncidentChanged, IncidentOpened
from opsloop.incidents.models import SEVERITIES, IncidentId, IncidentState, Observed, TakenIn
from opsloop.incidents.settings import IncidentSettings

BELL = "incidents"
COLLECT = "incident.collect"
MOST_AT_ONCE = 10_000
STORM_S, MOST_A_MINUTE = 60.0, 10
MOST_OPEN = 200
"""Incidents that a signal is compared with, the newest; older ones take no signals."""
MOST_ENTRIES, MOST_SUBJECTS, MOST_WORDS, MOST_MARKS = 40, 50, 200, 200
OLDEST = timedelta(days=7)
_CHUNK = 500
_LOCK = 7319


def take_in(uow: UnitOfWork, signals: Sequence[Observed]) -> TakenIn:
    """Take signals in, in their order; safe to call again with the same ones.

    Raises: InvalidInput for more than 10,000 at once.
    """
    uow.by.require(Role.DEVELOPER)
    if len(signals) > MOST_AT_ONCE:
        raise InvalidInput(f"signals: {len(signals)} at once; wanted at most {MOST_AT_ONCE}", field="signals")
    if not signals:
        return TakenIn()
    if not uow.workspace.database.is_sqlite:  # SQLite has one writer anyway
        uow.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    return _Intake(uow).take(signals)


def end(uow: UnitOfWork, over: Mapping[str, str]) -> None:
    """End signals that go on. Args: over: why, in words, by fingerprint."""
    if over:
        _Intake(uow).end(over)


@dataclass
class _Open:
    """An incident that may take signals, and what it has in sum."""

    row: IncidentRow
    subjects: set[str]
    words: dict[str, int]
    marks: set[str]
    entries: int = 0
    changes: set[str] = field(default_factory=set)

    def profile(self) -> grouping.Profile:
        first, last = self.row.first_signal_at.timestamp(), self.row.last_signal_at.timestamp()
        signals = max(self.row.signal_count, 1)
        return grouping.Profile(self.row.id, frozenset(self.subjects), self.words, first, last, signals)


class _Intake:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._settings = uow.workspace.section(IncidentSettings)
        self._now = uow.clock.now()
        self._topology = topology.of(uow)
        self._open = {row.id: self._opened_row(row) for row in self._candidates()}
        self._profiles = {key: each.profile() for key, each in self._open.items()}
        since = self._now - timedelta(seconds=STORM_S)
        # A clock that was set back leaves openings in the future; they are not of this minute.
        of_late = select(func.count()).where(IncidentRow.opened_at > since, IncidentRow.opened_at <= self._now)
        self._opened_of_late: int = uow.session.scalar(of_late) or 0
        self._needs = {row.mark: row.needs_times for row in uow.session.scalars(select(DetectorRow))}
        self._known: dict[str, SignalRow] = {}
        self._new = self._again = self._over = 0
        self._opened: list[IncidentId] = []

    def take(self, signals: Sequence[Observed]) -> TakenIn:
        marks = [texts.fingerprint(each) for each in signals]
        self._load(marks)
        for observed, mark in zip(signals, marks, strict=True):
            if observed.ended_at is not None:
                self._end(mark)
            else:
                self._see(observed, mark)
        self._store()
        return TakenIn(self._new, self._again, self._over, tuple(self._opened))

    def end(self, over: Mapping[str, str]) -> None:
        self._load(list(over))
        for mark, why in over.items():
            self._end(mark, why)
        self._store()

    def _candidates(self) -> Iterable[IncidentRow]:
        since = self._now - timedelta(seconds=2 * self._settings.incident_window_s)
        query = (
            select(IncidentRow)
            .where(IncidentRow.state != IncidentState.CLOSED.value, IncidentRow.last_signal_at >= since)
            .order_by(IncidentRow.last_signal_at.desc(), IncidentRow.id)
            .limit(MOST_OPEN)
        )
        return self._uow.session.scalars(query)

    def _opened_row(self, row: IncidentRow) -> _Open:
        return _Open(row, set(row.subjects), dict(row.words), set(row.marks), row.signal_count)

    def _load(self, marks: Sequence[str]) -> None:
        unique = list(dict.fromkeys(marks))
        for at in range(0, len(unique), _CHUNK):
            query = select(SignalRow).where(SignalRow.active.in_(unique[at : at + _CHUNK]))
            self._known |= {row.fingerprint: row for row in self._uow.session.scalars(query)}

    def _see(self, observed: Observed, mark: str) -> None:
        row = self._known.get(mark)
        if row is not None and row.ended_at is not None and not self._is_flap(row):
            row.active = None
            self._uow.session.flush()  # its place must be free before the next one takes it
            row = None
        if row is None:
            row = self._added(observed, mark)
            self._new += 1
        else:
            self._tell_again(row, observed)
            self._again += 1
        if row.incident is None:
            self._place(row)

    def _is_flap(self, row: SignalRow) -> bool:
        assert row.ended_at is not None
        if row.incident is not None and self._incident(row.incident).row.state == IncidentState.CLOSED.value:
            return False
        return (self._now - row.ended_at).total_seconds() <= self._settings.incident_flap_s

    def _added(self, observed: Observed, mark: str) -> SignalRow:
        subject = texts.subject(observed.subject)
        started = min(max(observed.started_at, self._now - OLDEST), self._now)
        row = SignalRow(
            id=self._uow.ids.new("signal"),
            source=observed.source,
            kind=observed.kind,
            name=texts.kept(observed.name, 300),
            severity=observed.severity,
            subject={
                "endpoint": subject.endpoint,
                "service": subject.service,
                "host": subject.host,
                "labels": subject.labels,
            },
            text=texts.kept(observed.text),
            fingerprint=mark,
            active=mark,
            numbers=texts.numbers(observed.numbers),
            link=texts.link(observed.link),
            times=1,
            flaps=0,
            started_at=started,
            seen_at=self._now,
        )
        self._uow.session.add(row)
        self._known[mark] = row
        return row

    def _tell_again(self, row: SignalRow, observed: Observed) -> None:
        row.times += 1
        row.seen_at = self._now
        if _is_worse(observed.severity, row.severity):
            row.severity = observed.severity
        if row.incident is None:
            row.ended_at = None
            return
        incident = self._incident(row.incident)
        incident.row.told_count += 1
        incident.row.last_signal_at = max(incident.row.last_signal_at, self._now)
        self._worsen(incident, row)
        if row.ended_at is not None:
            row.ended_at, row.flaps = None, row.flaps + 1
            incident.row.active_count += 1
            if row.flaps == 1:
                self._note(incident, "signal", f"{row.name} came back", self._now)
            if incident.row.state == IncidentState.MITIGATED.value:
                is_known = incident.row.acknowledged_at is not None
                incident.row.state = (IncidentState.ACKNOWLEDGED if is_known else IncidentState.OPEN).value
                incident.row.mitigated_at = None
                incident.changes.add("reopened")

    def _end(self, mark: str, why: str = "") -> None:
        self._over += 1
        row = self._known.get(mark)
        if row is None or row.ended_at is not None:
            return
        row.ended_at = self._now
        if row.incident is None:
            return
        incident = self._incident(row.incident)
        incident.row.active_count -= 1
        if incident.row.state == IncidentState.CLOSED.value:
            row.active = None
            return
        is_moment = row.ended_at == row.started_at
        if row.flaps == 0 and incident.entries <= MOST_ENTRIES and not is_moment:
            self._note(incident, "over", f"{row.name} is over: {why}" if why else f"{row.name} is over", self._now)
        if incident.row.active_count == 0:
            incident.row.state, incident.row.mitigated_at = IncidentState.MITIGATED.value, self._now
            incident.changes.add("mitigated")

    def _place(self, row: SignalRow) -> None:
        """Into the incident that it belongs to, or a new one; or it waits."""
        if row.times < self._needed_times(row):
            return
        names = _names(row)
        words = grouping.words_of(f"{row.name} {row.text}")
        found = grouping.best(
            names,
            words,
            row.started_at.timestamp(),
            self._profiles.values(),
            topology=self._topology,
            window_s=self._settings.incident_window_s,
        )
        if found is not None:
            self._join(self._open[found.key], row, names, words)
        elif _is_at_least(row.severity, self._settings.incident_least_severity):
            nearest = self._in_a_storm(names, words, row)
            self._join(nearest or self._opening(row), row, names, words)

    def _in_a_storm(self, names: Sequence[str], words: frozenset[str], row: SignalRow) -> _Open | None:
        if self._opened_of_late < MOST_A_MINUTE or not self._profiles:
            return None
        key = max(
            self._profiles.values(),
            key=lambda each: (
                len(each.subjects & set(names)),
                len(words & each.words.keys()),
                each.last_s,
                each.key,
            ),
        ).key
        return self._open[key]

    def _needed_times(self, row: SignalRow) -> int:
        asked = [n for pattern, n in self._settings.incident_after.items() if fnmatchcase(row.name, pattern)]
        return max([1, *asked, self._needs.get(texts.mark(row.source, row.kind, row.name), 1)])

    def _opening(self, row: SignalRow) -> _Open:
        incident = IncidentRow(
            id=self._uow.ids.new("incident"),
            title=_title(row),
            severity=row.severity,
            state=IncidentState.OPEN.value,
            subjects=[],
            words={},
            marks=[],
            signal_count=0,
            told_count=0,
            active_count=0,
            suspects=[],
            diagnosis=None,
            opened_at=self._now,
            first_signal_at=row.started_at,
            last_signal_at=row.started_at,
            cause="",
        )
        self._uow.session.add(incident)
        opened = self._open[incident.id] = self._opened_row(incident)
        self._opened.append(IncidentId(incident.id))
        self._opened_of_late += 1
        self._note(opened, "opened", f"opened: {incident.title}", self._now)
        return opened

    def _join(self, incident: _Open, row: SignalRow, names: Sequence[str], words: frozenset[str]) -> None:
        row.incident = incident.row.id
        incident.row.signal_count += 1
        incident.row.told_count += row.times
        incident.row.active_count += row.ended_at is None
        incident.row.first_signal_at = min(incident.row.first_signal_at, row.started_at)
        incident.row.last_signal_at = max(incident.row.last_signal_at, row.started_at)
        incident.subjects.update(names[: MOST_SUBJECTS - len(incident.subjects)])
        for word in words:
            if word in incident.words or len(incident.words) < MOST_WORDS:
                incident.words[word] = incident.words.get(word, 0) + 1
        if len(incident.marks) < MOST_MARKS:
            incident.marks.add(texts.mark(row.source, row.kind, row.name))
        self._profiles[incident.row.id] = incident.profile()
        self._worsen(incident, row)
        incident.entries += 1
        if incident.entries <= MOST_ENTRIES:
            said = f"{row.name}: {row.text}" if row.text and row.text != row.name else row.name
            self._note(incident, "signal", said, row.started_at, signal=row.id, source=row.source)
        elif incident.entries == MOST_ENTRIES + 1:
            self._note(incident, "signal", "further signals are in the table alone", self._now)
        if incident.row.state == IncidentState.MITIGATED.value:
            incident.row.state, incident.row.mitigated_at = IncidentState.OPEN.value, None
            incident.changes.add("reopened")

    def _worsen(self, incident: _Open, row: SignalRow) -> None:
        if _is_worse(row.severity, incident.row.severity):
            incident.row.severity = row.severity
            incident.changes.add("worse")

    def _incident(self, incident: str) -> _Open:
        """Also one that takes no further signals."""
        if incident not in self._open:
            self._open[incident] = self._opened_row(self._uow.session.get_one(IncidentRow, incident))
        return self._open[incident]

    def _note(self, incident: _Open, kind: str, said: str, at: datetime, **detail: str) -> None:
        self._uow.session.add(
            IncidentEntryRow(
                incident=incident.row.id, at=at, kind=kind, text=said, by=self._uow.by.name, detail=dict(detail)
            )
        )

    def _store(self) -> None:
        for each in self._open.values():
            row = each.row
            if sorted(each.subjects) != list(row.subjects):
                row.subjects = sorted(each.subjects)
            if each.words != row.words:
                row.words = dict(each.words)
            if sorted(each.marks) != list(row.marks):
                row.marks = sorted(each.marks)
        self._uow.session.flush()
        for opened in self._opened:
            self._tell_opened(self._open[opened].row)
        for each in self._open.values():
            if each.row.id not in self._opened:
                self._tell_changes(each)
        self._uow.ring(BELL)

    def _tell_opened(self, row: IncidentRow) -> None:
        self._uow.audit("incident.opened", f"incident/{row.id}", title=row.title, severity=row.severity)
        self._uow.emit(IncidentOpened(row.id, row.title, row.severity, endpoint_of(row), list(row.subjects)))

    def _tell_changes(self, each: _Open) -> None:
        for what in sorted(each.changes):
            self._uow.emit(IncidentChanged(each.row.id, what, endpoint_of(each.row), each.row.state))


def endpoint_of(row: IncidentRow) -> str:
    """The one endpoint that an incident is about; empty when it is about none or several."""
    found = [name.removeprefix("endpoint:") for name in row.subjects if name.startswith("endpoint:")]
    return found[0] if len(found) == 1 else ""


def _names(row: SignalRow) -> tuple[str, ...]:
    given = row.subject
    pairs = (("endpoint", given["endpoint"]), ("service", given["service"]), ("host", given["host"]))
    return tuple(f"{kind}:{name}" for kind, name in pairs if name)


def _title(row: SignalRow) -> str:
    about = row.subject["endpoint"] or row.subject["service"] or row.subject["host"]
    return f"{row.name} at {about}" if about else row.name


def _is_worse(severity: str, than: str) -> bool:
    order: tuple[str, ...] = SEVERITIES
    return order.index(severity) < order.index(than)


def _is_at_least(severity: str, least: str) -> bool:
    return not _is_worse(least, severity)
