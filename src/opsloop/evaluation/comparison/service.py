"""Compare two runs that this platform keeps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.evaluation.comparison.metrics import Kind, change, change_at_a_glance
from opsloop.evaluation.comparison.models import Comparison, MetricChange, RowChange, SliceChange
from opsloop.evaluation.comparison.pairs import Pair, Values, left_out, pairs, values
from opsloop.evaluation.comparison.passing import passing_value
from opsloop.evaluation.comparison.rows import counted, row_changes
from opsloop.evaluation.comparison.sentence import sentence
from opsloop.evaluation.comparison.slices import columns_for_slices, declared_slices, slices
from opsloop.evaluation.errors import RunNotDone
from opsloop.evaluation.models import Experiment, RowRecord, Run, RunStatus

DATASET = "dataset"
AUTOMATIC = ""
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with all its rows, worse first, and the columns that rows can be sliced by."""

    comparison: Comparison
    rows: list[RowChange]
    columns: tuple[str, ...]


def compare(uow: UnitOfWork, base: str, head: str, *, by: str = AUTOMATIC) -> Compared:
    """Compare `head` with `base` on the rows that they share.

    Args:
        by: column of the data to slice by, or `dataset`; unset: the datasets and the columns with few values.
    Raises: RunMissing, RunNotDone, NotComparable, InvalidInput for a column that is not there, ExtraNeeded.
    """
    before, after = done(uow, base), done(uow, head)
    return compare_rows(
        before,
        after,
        service.rows(uow, before.id),
        service.rows(uow, after.id),
        service.experiment_of(uow, after.id),
        by=by,
    )


def compare_rows(
    before: Run,
    after: Run,
    base_rows: Sequence[RowRecord],
    head_rows: Sequence[RowRecord],
    experiment: Experiment,
    *,
    by: str = AUTOMATIC,
) -> Compared:
    """As `compare`, of runs and rows at hand; `experiment` is that of `after`, with its gate's thresholds and seed."""
    gate = experiment.gate
    paired = pairs(before, after, base_rows, head_rows, key=gate.key if gate else None)
    found = values(paired)
    kinds = [_kind(name, each, after, experiment) for name, each in found.items()]
    metrics = tuple(_remembered(before, after, kind, found[kind.name], paired, experiment) for kind in kinds)
    changes = row_changes(paired, found, kinds)
    counts = counted(changes)
    columns = tuple(columns_for_slices([pair.head[0].data for pair in paired], most=8))
    comparison = Comparison(
        base=before,
        head=after,
        sentence=sentence(metrics, counts),
        metrics=metrics,
        slices=_slices(paired, found, kinds, columns, by, gate.slices if gate else {}),
        rows=counts,
        left_out=left_out(before, after),
    )
    return Compared(comparison, changes, columns)


def broken_rows(uow: UnitOfWork, base: str, head: str) -> list[RowChange]:
    """The rows that passed in `base` and do not in `head`, without the statistics. Raises: as `compare`."""
    before, after = done(uow, base), done(uow, head)
    experiment = service.experiment_of(uow, after.id)
    key = experiment.gate.key if experiment.gate else None
    paired = pairs(before, after, service.rows(uow, before.id), service.rows(uow, after.id), key=key)
    found = values(paired)
    kinds = [_kind(name, each, after, experiment) for name, each in found.items()]
    return [each for each in row_changes(paired, found, kinds) if each.broke]


def done(uow: UnitOfWork, run: str) -> Run:
    """A run that is over and can be compared. Raises: RunMissing, RunNotDone."""
    uow.by.require(Role.VIEWER)
    found = service.get(uow, run)
    if found.status is not RunStatus.DONE:
        raise RunNotDone(run=found.id, status=found.status.value)
    return found


def _kind(metric: str, values: Values, run: Run, experiment: Experiment) -> Kind:
    summary = run.metrics.get(metric)
    rules = experiment.gate.rules if experiment.gate else ()
    measured = [value for side in (values.base, values.head) for value in side if value is not None]
    return Kind(
        name=metric,
        unit=summary.unit if summary else "",
        higher_is_better=summary.higher_is_better if summary else True,
        passing=passing_value(metric, rules, measured),
        is_score=all(0.0 <= value <= 1.0 for value in measured),
    )


_memory: OrderedDict[tuple[object, ...], MetricChange] = OrderedDict()
_memory_lock = Lock()


def _remembered(
    before: Run, after: Run, kind: Kind, found: Values, paired: Sequence[Pair], experiment: Experiment
) -> MetricChange:
    """The change of a metric; a finished run never changes, so that the next page of its rows need not ask again."""
    key = (before.id, after.id, kind, hash(tuple(found.base)), hash(tuple(found.head)))
    with _memory_lock:
        if key in _memory:
            _memory.move_to_end(key)
            return _memory[key]
    column = experiment.gate.cluster_by if experiment.gate else None
    clusters = [_cluster(pair, column) for pair in paired] if column is not None else None
    made = change(kind, found, clusters=clusters, seed=experiment.seed)
    with _memory_lock:
        _memory[key] = made
        while len(_memory) > _KEPT:
            _memory.popitem(last=False)
    return made


def _cluster(pair: Pair, column: str) -> str:
    value = pair.head[0].data.get(column)
    return f"row {pair.dataset} {pair.row}" if value is None else f"value {value!r}"


def _slices(
    paired: Sequence[Pair],
    found: dict[str, Values],
    kinds: Sequence[Kind],
    columns: Sequence[str],
    by: str,
    declared: Mapping[str, Any],
) -> tuple[SliceChange, ...]:
    """Those that the gate names first, when no column is asked for."""
    rows = [(pair.dataset, pair.head[0].data) for pair in paired]
    named = declared_slices(rows, declared) if by == AUTOMATIC else {}
    named |= {
        name: places
        for column in _wanted(paired, columns, by)
        for name, places in slices([_sliced(pair, column) for pair in paired], column).items()
    }
    return tuple(
        SliceChange(
            name,
            len(places),
            tuple(change_at_a_glance(kind, _at(found[kind.name], places)) for kind in kinds),
        )
        for name, places in named.items()
    )


def _wanted(paired: Sequence[Pair], columns: Sequence[str], by: str) -> list[str]:
    if by == AUTOMATIC:
        several = len({pair.dataset for pair in paired}) > 1
        return [*([DATASET] if several else []), *columns[:3]]
    known = dict.fromkeys([DATASET, *(name for pair in paired for name in pair.head[0].data)])
    if by not in known:
        raise InvalidInput(field="by", value=by, wanted=f"a column of the data ({', '.join(list(known)[:20])})")
    return [by]


def _sliced(pair: Pair, column: str) -> dict[str, object]:
    if column == DATASET and DATASET not in pair.head[0].data:
        return {DATASET: pair.dataset}
    return {column: pair.head[0].data.get(column)}


def _at(found: Values, places: Sequence[int]) -> Values:
    return Values([found.base[place] for place in places], [found.head[place] for place in places])
