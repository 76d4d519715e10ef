"""What of this process leaves, as its settings say: begun at its start, ended with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from prometheus_client import Metric
from structlog.typing import Processor

from opsloop.core.settings import read
from opsloop.core.telemetry import tracing
from opsloop.core.telemetry.otlp import logs, metrics, spans
from opsloop.core.telemetry.otlp.destination import destination
from opsloop.core.telemetry.otlp.sender import Sender
from opsloop.core.telemetry.otlp.settings import OtlpSettings, Signal


@contextmanager
def exporting(
    file_values: Mapping[str, Any] | None,
    *,
    configure: Callable[[Processor | None], None],
    collect: Callable[[], Iterable[Metric]],
    lost: Callable[[str, int], None],
) -> Iterator[None]:
    """Export while the block runs; nothing is loaded for a signal that goes nowhere.

    Args:
        configure: sets up the logs of this process, with a processor that lines go through last.
        collect: gives the metrics.
        lost: called with a signal and a number of items that did not get there.
    """
    settings = read(OtlpSettings, file_values)
    to = {signal: destination(settings, signal) for signal in Signal}
    with ExitStack() as ending:
        lines = to[Signal.LOGS]
        if lines is not None:
            log_sender = Sender(lines, logs.message, lambda count: lost(Signal.LOGS, count))
            log_sender.start()
            ending.callback(log_sender.stop)
        configure(None if lines is None else logs.taking(log_sender.offer))
        found = to[Signal.TRACES]
        if found is not None:
            span_sender = Sender(found, spans.message, lambda count: lost(Signal.TRACES, count), most=20_000)
            span_sender.start()
            ending.callback(span_sender.stop)
            tracing.install(span_sender.offer)
            ending.callback(tracing.install, None)
        metered = to[Signal.METRICS]
        if metered is not None:
            sender: Sender[Any] = Sender(
                metered, metrics.message, lambda count: lost(Signal.METRICS, count), most=2, delay_s=0.0
            )
            periodic = metrics.Periodic(collect, sender, settings.otlp_metric_interval_ms / 1000)
            periodic.start()
            ending.callback(periodic.stop)
        yield
