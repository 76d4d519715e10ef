"""The answer to an order: a model trained on a version's rows, ready to be registered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from opsloop.training.orders import Order
from opsloop.training.pipeline import parse
from opsloop.training.reading import table_in
from opsloop.training.report import Report, report_of
from opsloop.training.runner import train_table


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    report: Report


def answer_to(order: Order, progress: Callable[[int, int, str], None]) -> bytes:
    """Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ExtraNeeded."""
    spec = parse(order.declared, order.at, folder=Path(order.folder))
    table = table_in(Path(order.parquet), order.schema, spec, order.wanted)
    trained = train_table(spec, table, seed=order.seed, progress=progress, environment=dict(order.data))
    return msgspec.msgpack.encode(Answer(report=report_of(trained)))
