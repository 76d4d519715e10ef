"""Watch a model that serves by itself: the detector in memory, alarms to a webhook and nowhere else."""

from __future__ import annotations

import queue
import threading
from typing import Any

import msgspec
import structlog

from opsloop._version import __version__
from opsloop.core.clock import Clock
from opsloop.core.errors import InvalidInput
from opsloop.core.ids import Ids
from opsloop.core.notices import signatures
from opsloop.core.notices.service import DELAYS_S
from opsloop.models import bundle as bundles
from opsloop.monitoring import metrics
from opsloop.monitoring.alarms.models import Alarm, AlarmId, AlarmKind, AlarmState, Evidence
from opsloop.monitoring.drift import hooks
from opsloop.monitoring.drift.facts import rules_of
from opsloop.monitoring.drift.fitted import Unwatched, method_of
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.hooks import Hook
from opsloop.monitoring.drift.method import Method
from opsloop.monitoring.drift.options import DriftOptions, Rule
from opsloop.monitoring.drift.references import WatchedModel
from opsloop.monitoring.drift.watch import Reading

log = structlog.get_logger()
_TIMEOUT_S = 10.0
_BOUND_TO_WAIT = 1_000


class LoneWatch:
    """Thread-safe. Args: endpoint: name under which the model is counted and told of."""

    def __init__(
        self,
        model: WatchedModel,
        options: DriftOptions,
        *,
        endpoint: str,
        serves: str,
        hook: Hook | None,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._endpoint = endpoint
        metrics.drift_events.labels(endpoint)  # so that it is there before the first one
        self._serves = serves
        self._clock = clock
        self._ids = ids
        self._rules = rules_of(model.bundle)
        self._method = _method(model, options)
        self._detector = self._method.new()
        self._lock = threading.Lock()
        self._is_broken = False
        self._hook = hook
        self._sender = Sender(hook, clock) if hook is not None else None

    def observe(self, X: Any, predictions: Any, at_s: float) -> Reading:
        """What the rows of one request say, after all before them; never raises."""
        broken = self._rules.broken(X)
        evidence: Evidence | None = None
        with self._lock:
            try:
                reading = self._detector.update(X, predictions, at_s)
                detected, score, is_new = reading.detected, reading.score, reading.is_new
                if is_new:
                    evidence = self._method.evidence(self._detector)
            except Exception:  # watching must not stop what is watched
                detected, score, is_new = False, 0.0, False
                if not self._is_broken:
                    self._is_broken = True
                    log.exception("drift_not_watched", endpoint=self._endpoint)
        for rule in broken:
            metrics.broken_expectations.labels(self._endpoint, rule).inc()
        if evidence is not None:
            self._raise(evidence)
        return Reading(detected or bool(broken), score, is_new, broken)

    def close(self) -> None:
        if self._sender is not None:
            self._sender.stop()

    def _raise(self, evidence: Evidence) -> None:
        metrics.drift_events.labels(self._endpoint).inc()
        log.warning("drift_detected", endpoint=self._endpoint, said=evidence.sentence)
        if self._sender is not None and self._hook is not None:
            alarm = self._alarm(evidence)
            payload = hooks.slack(alarm) if self._hook.form == "slack" else hooks.told(alarm)
            self._sender.send(alarm.id, msgspec.json.encode(payload))

    def _alarm(self, evidence: Evidence) -> Alarm:
        return Alarm(
            id=AlarmId(self._ids.new("alarm")),
            kind=AlarmKind.DRIFT,
            endpoint=self._endpoint,
            release=self._serves,
            model=self._serves,
            state=AlarmState.OPEN,
            feature=evidence.feature,
            sentence=evidence.sentence,
            score=evidence.score,
            since_row=evidence.since_row,
            since_at=evidence.since_at,
            expected_delay_rows=evidence.expected_delay_rows,
            evidence=evidence.detail,
            opened_at=self._clock.now(),
            acknowledged_at=None,
            acknowledged_by=None,
            closed_at=None,
            closed_by=None,
            outcome=None,
            reason=None,
        )


class Sender:
    """Sends alarms from a thread of its own, signed, and again after the delays of other notices when that fails."""

    def __init__(self, hook: Hook, clock: Clock, *, delays_s: tuple[float, ...] = DELAYS_S) -> None:
        self._hook = hook
        self._clock = clock
        self._delays_s = delays_s
        self._waiting: queue.Queue[tuple[str, bytes]] = queue.Queue(_BOUND_TO_WAIT)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, alarm: str, body: bytes) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait((alarm, body))
        except queue.Full:
            log.error("alarm_not_sent", alarm=alarm, reason="too many wait for the webhook")

    def stop(self) -> None:
        """Try once more what waits."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_TIMEOUT_S * 2)

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            try:
                alarm, body = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            self._deliver(alarm, body)

    def _deliver(self, alarm: str, body: bytes) -> None:
        from opsloop.core.notices.sending import send  # httpx: only where something is sent

        error: str | None = None
        for delay_s in (0.0, *self._delays_s):
            if delay_s and self._stopping.wait(delay_s) and error is not None:
                break
            answer = send(self._hook.url, body, self._headers(alarm, body), timeout_s=_TIMEOUT_S)
            error = answer.error
            if error is None:
                return
            if answer.is_lasting:
                break
        log.error("alarm_not_delivered", alarm=alarm, reason=error)

    def _headers(self, alarm: str, body: bytes) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": f"opsloop/{__version__}",
            "X-Opsloop-Delivery": alarm,
            "X-Opsloop-Event": hooks.KIND,
        }
        if self._hook.secret is not None:
            headers[signatures.HEADER] = signatures.stamped(self._hook.secret, body, self._clock.now())
        return headers


def _method(model: WatchedModel, options: DriftOptions) -> Method:
    """The detector against the bundle's own rows; one that sees nothing where it has none."""
    bundle = model.bundle
    rows = bundle.baseline
    if options.method is Rule.NONE:
        return Unwatched(None)
    if rows is None:
        reason = "the model has no rows of training to compare with; name some in BASELINE_PATH"
        log.warning("drift_not_watched", reason=reason)
        return Unwatched(None, reason)
    signature = bundle.signature
    said = bundle.array(bundles.BASELINE_PREDICTIONS)
    try:
        return method_of(
            fit(
                rows, said, signature.names, options, categories=bundle.manifest.codes, classes=signature.output.classes
            )
        )
    except InvalidInput as error:  # the model serves all the same
        log.warning("drift_not_watched", reason=error.sentence)
        return Unwatched(None, error.sentence)
