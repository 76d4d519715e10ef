"""Watch one release of a model while it serves: the detector in memory, and the thread that stores what it knows.

`observe` is on the way of every request and does no I/O. The thread stores checkpoints, reports alarms and learns what
others did: that another replica raised the alarm, that a person closed it. An alarm and the checkpoint that holds it
are one transaction, which waits for the other replicas' (`watches.held`):

- killed before it: the restored detector is as it was at the checkpoint before, and finds the change again;
- killed after it: the restored detector knows its alarm, and the row that is open refuses a second one;
- two replicas at once: the second finds the first one's alarm.

A replica holds a part of the evidence. Each one lays the others' checkpoints and its own together when it stores, and
raises the alarm that no single one has the evidence for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from opsloop.core.caller import system
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring import metrics
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, Evidence
from opsloop.monitoring.drift import hooks, watches
from opsloop.monitoring.drift.declared import Watching
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.monitoring.drift.facts import facts_of, rules_of
from opsloop.monitoring.drift.hooks import Hook
from opsloop.monitoring.drift.method import Detecting, Method
from opsloop.monitoring.drift.references import WatchedModel, methods
from opsloop.monitoring.drift.replica import replica_of
from opsloop.monitoring.drift.watches import Checkpoint, StoredWatch
from opsloop.monitoring.expectations.compiled import Compiled
from opsloop.monitoring.settings import MonitoringSettings

log = structlog.get_logger()
BY = system("monitoring")
_BEAT_S = 60.0
"""How often a watch that sees no rows says that it is there."""
_MARK_EVERY = 50
"""Rows between two notes of when they came; of the last _MARKS notes since when rows changed is read."""
_MARKS = 1_000

MethodOf = Callable[[str | None], Method]
"""A method against the rows of an artifact, or against the bundle's own for None; slow at the first call."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: the release of an endpoint, and the model version that it serves."""

    endpoint: str
    release: str
    model: str
    digest: str


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a watch says of the rows of one request.

    A msgspec struct, not a dataclass: it is made for every request, and costs a tenth there.

    Args:
        detected: whether drift is, or these rows broke an expectation.
        broken: names of the expectations that they broke.
    """

    detected: bool
    score: float
    is_new: bool = False
    broken: tuple[str, ...] = ()


class Watch:
    """Thread-safe; `close` stores what it knows. Made by `Watch.of`."""

    def __init__(
        self,
        workspace: Workspace,
        watched: Watched,
        method_of: MethodOf,
        rules: Compiled | None = None,
        told_to: Sequence[Hook] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self._workspace = workspace
        self._watched = watched
        self._method_of = method_of
        self._rules = rules or None
        self._told_to = tuple(told_to)
        self._facts = dict(facts or {})
        self._interval_s = workspace.section(MonitoringSettings).drift_checkpoint_s
        self._gone_after = timedelta(seconds=max(3_600.0, 100 * self._interval_s))
        self._beat_at_s = float("-inf")
        self._replica = replica_of(workspace)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_broken = self._is_alarmed = False
        self._news: Evidence | None = None
        self._rows = self._stored_rows = self._mark_at = 0
        self._broken: dict[str, int] = {}
        self._marks: deque[tuple[int, datetime]] = deque(maxlen=_MARKS)
        self._restore()

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        endpoint: str,
        release: str,
        model: WatchedModel,
        options: object = None,
        *,
        serves: str = "",
    ) -> Watch:
        """Watch a loaded model, and begin to store and report; slow, since the reference is fitted the first time.

        Args:
            options: what the release's configuration has under `drift`.
            serves: the model version, such as `iris@3`.
        Raises: InvalidInput naming the option that is wrong.
        """
        watching = Watching.parse(options)
        watched = Watched(endpoint, release, serves or model.digest[:12], model.digest)
        rules = rules_of(model.bundle)
        return cls(
            workspace,
            watched,
            methods(workspace, model, watching.drift),
            rules,
            watching.told_to,
            facts_of(model.bundle, watching, rules),
        ).start()

    def observe(self, X: Any, predictions: Any, at_s: float) -> Reading:
        """What the rows of one request say, after all before them; never raises."""
        broken = () if self._rules is None else self._rules.broken(X)
        with self._lock:
            if self._rows >= self._mark_at:
                self._mark()
            self._rows += len(X)
            detected, score, is_new = self._updated(X, predictions, at_s)
        if broken:
            self._count(broken)
        if is_new:
            self._wake.set()
        return Reading(detected or bool(broken), score, is_new, broken)

    def _count(self, broken: tuple[str, ...]) -> None:
        with self._lock:
            for rule in broken:
                self._broken[rule] = self._broken.get(rule, 0) + 1
        for rule in broken:
            metrics.broken_expectations.labels(self._watched.endpoint, rule).inc()

    def _mark(self) -> None:
        """Note when this row came, to tell since when rows changed."""
        self._marks.append((self._rows, self._workspace.clock.now()))
        self._mark_at = self._rows + _MARK_EVERY

    def _came_at(self, row: int | None) -> datetime | None:
        """About when a row came; None when that was before this process."""
        known = [at for before, at in self._marks if row is not None and before <= row]
        return known[-1] if known else None

    def _evidence(self) -> Evidence:
        found = self._method.evidence(self._detector)
        return replace(found, since_at=found.since_at or self._came_at(found.since_row))

    def _updated(self, X: Any, predictions: Any, at_s: float) -> tuple[bool, float, bool]:
        try:
            reading = self._detector.update(X, predictions, at_s)
            if reading.is_new and self._news is None:
                self._news = self._evidence()
        except Exception:  # watching must not stop what is watched
            if not self._is_broken:
                self._is_broken = True
                log.exception("drift_not_watched", endpoint=self._watched.endpoint, release=self._watched.release)
            return self._is_alarmed, 0.0, False
        return reading.detected or self._is_alarmed, reading.score, reading.is_new

    def start(self) -> Watch:
        """Begin to store and report, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"watch-{self._watched.release}", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        with Trouble("drift_not_stored").told():
            self.report()
        metrics.forget_drift(self._watched.endpoint, self._watched.release)

    def _run(self) -> None:
        trouble = Trouble("drift_not_stored")
        while not self._stopping.is_set():
            self._wake.wait(self._interval_s)
            self._wake.clear()
            with trouble.told():
                self.report()

    def report(self) -> Alarm | None:
        """Store where the detector stands; the alarm that this raised, if it did."""
        with self._lock:
            checkpoint, is_alarmed = self._checkpoint(), self._is_alarmed
            if self._news is None and not is_alarmed and self._method.is_alarmed(self._detector):
                self._news = self._evidence()  # killed before it was reported
            news = self._news
        now_s = self._workspace.clock.monotonic_s()
        if checkpoint.rows == self._stored_rows and news is None and now_s < self._beat_at_s:
            self._look()
            return None
        with self._workspace.writing(BY) as uow:
            stored = self._held(uow)
            is_current = stored.generation == self._generation
            if is_current:
                watches.keep(
                    uow, self._watched.endpoint, self._watched.release, checkpoint, gone_after=self._gone_after
                )
                raised, is_alarmed = self._raised(uow, checkpoint, news)
        if not is_current:
            self._restore()
            return None
        with self._lock:
            self._stored_rows, self._is_alarmed = checkpoint.rows, is_alarmed
            self._beat_at_s = now_s + _BEAT_S
            if news is self._news:
                self._news = None
        self._tell(checkpoint, raised)
        return raised

    def _look(self) -> None:
        """Learn what others did, while there is nothing to store: nobody has to wait for that."""
        endpoint, release = self._watched.endpoint, self._watched.release
        with self._workspace.reading(BY) as uow:
            stored = watches.get(uow, endpoint, release)
            alarm = alarms.of_release(uow, AlarmKind.DRIFT, endpoint, release)
        if stored is None or stored.generation != self._generation:
            self._restore()
            return
        with self._lock:
            self._is_alarmed = alarm is not None and self._method.is_lasting

    def _raised(self, uow: UnitOfWork, checkpoint: Checkpoint, news: Evidence | None) -> tuple[Alarm | None, bool]:
        """The alarm to raise now, and whether one is open."""
        endpoint, release = self._watched.endpoint, self._watched.release
        if alarms.of_release(uow, AlarmKind.DRIFT, endpoint, release) is not None:
            return None, self._method.is_lasting
        evidence = news or self._evidence_of_all(uow, checkpoint)
        if evidence is None:
            return None, False
        raised = alarms.raise_alarm(
            uow, AlarmKind.DRIFT, endpoint=endpoint, release=release, model=self._watched.model, evidence=evidence
        )
        if raised is not None:
            hooks.tell(uow, raised, (*hooks.of_platform(uow.workspace), *self._told_to))
            uow.emit(
                DriftDetected(
                    alarm=raised.id,
                    endpoint=endpoint,
                    release=release,
                    model=raised.model,
                    feature=raised.feature,
                    sentence=raised.sentence,
                    score=raised.score,
                )
            )
        return raised, self._method.is_lasting

    def _evidence_of_all(self, uow: UnitOfWork, own: Checkpoint) -> Evidence | None:
        """What all replicas together have the evidence for; None when this one is alone."""
        found = watches.checkpoints(uow, self._watched.endpoint, self._watched.release, self._generation)
        others = [each.state for each in found if each.replica != own.replica]
        if not others:
            return None
        detector = self._method.together([*others, own.state])
        return self._method.evidence(detector) if self._method.is_alarmed(detector) else None

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            replica=self._replica,
            generation=self._generation,
            state=self._detector.checkpoint(),
            rows=self._rows,
            score=self._method.score(self._detector),
            figures=self._method.figures(self._detector),
            broken=dict(self._broken),
        )

    def _restore(self) -> None:
        """Go on where this replica was, or begin anew when there is a new generation."""
        with self._workspace.reading(BY) as uow:
            known = watches.get(uow, self._watched.endpoint, self._watched.release)
        method = self._method_of(known.baseline if known is not None else None)
        with self._workspace.writing(BY) as uow:
            stored = self._held(uow, about={**self._facts, "drift": dict(method.about)})
            found = watches.taken_over(
                uow,
                self._watched.endpoint,
                self._watched.release,
                stored.generation,
                replica=self._replica,
                idle=self._gone_after / 20,
            )
            alarm = alarms.of_release(uow, AlarmKind.DRIFT, self._watched.endpoint, self._watched.release)
        if known is not None and stored.baseline != known.baseline:  # accepted in this very moment
            self._restore()
            return
        detector = method.new() if found is None else _restored(method, found)
        with self._lock:
            self._method, self._detector, self._generation = method, detector, stored.generation
            self._is_alarmed = alarm is not None and method.is_lasting
            self._news = None
            self._rows = self._stored_rows = 0 if found is None else found.rows
            self._broken = {} if found is None else dict(found.broken)
            self._beat_at_s = float("-inf")
            self._marks.clear()
            self._mark()

    def _held(self, uow: UnitOfWork, *, about: Mapping[str, Any] | None = None) -> StoredWatch:
        watched = self._watched
        return watches.held(
            uow,
            watched.endpoint,
            watched.release,
            model=watched.model,
            digest=watched.digest,
            about=about or {},
            told_to=hooks.declared(self._told_to),
        )

    def _tell(self, checkpoint: Checkpoint, raised: Alarm | None) -> None:
        endpoint = self._watched.endpoint
        for feature, score in checkpoint.figures.items():
            metrics.drift_score.labels(endpoint, self._watched.release, feature).set(score)
        if raised is not None:
            metrics.drift_events.labels(endpoint).inc()
            log.warning("drift_detected", endpoint=endpoint, release=raised.release, said=raised.sentence)


def _restored(method: Method, found: Checkpoint) -> Detecting:
    try:
        return method.restored(found.state)
    except ValueError as error:  # of another version of the program, or of other options
        log.warning("drift_checkpoint_unusable", replica=found.replica, reason=str(error))
        return method.new()
