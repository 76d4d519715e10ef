"""The rows that a challenger learns from: the pipeline's data and, where wanted, what the endpoint was asked since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.models import service as models
from opsloop.models.signature import Signature
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.labels.window import LabelledWindow, labelled_window
from opsloop.releases.renewal_policy import CompareOn, Labelled, Policy
from opsloop.releases.renewals import course, lessons
from opsloop.releases.renewals._tables import RenewalRow
from opsloop.releases.renewals.models import RenewalState
from opsloop.training import learning
from opsloop.training import service as training
from opsloop.training import window as windows

LOOK_S, SELDOM_S = 1.0, 300.0
PATIENCE = 0.05
"""Labels are counted again after this share of the time that was waited for them, within these seconds."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows to learn from: `labelled` of them the endpoint was asked; `base` is the version the others are of."""

    rows: Sequence[Row]
    labelled: int
    base: str


def collect(workspace: Workspace, renewal: str) -> None:
    """Start the training, once there are rows enough. Safe to repeat."""
    with workspace.reading(course.BY) as uow:
        row = course.found(uow, renewal)
        policy = course.policy_of(row)
        wanted = policy.labelled if row.champion is not None else None  # an endpoint was asked nothing before its first
        waiting = _lacking(uow, row, wanted) if wanted is not None else None
        gathered = _gathered(uow, row, policy) if wanted is not None and waiting is None else None
    if waiting is not None:
        _wait(workspace, renewal, policy, waiting)
        return
    snapshot = None
    if gathered is not None:
        data = msgspec.json.Encoder(enc_hook=str).encode_lines(gathered.rows)
        snapshot = datasets.prepare(workspace, "rows.jsonl", data)
    with workspace.writing(course.BY) as uow:
        row = course.locked(uow, renewal)
        if row.state != RenewalState.COLLECTING:
            return
        dataset = None
        if gathered is not None and snapshot is not None:
            version = datasets.register_snapshot(uow, dataset_of(row.endpoint), "rows.jsonl", snapshot)
            lineage.note_source(uow, version, "dataset", gathered.base)
            lineage.note_source(uow, version, "endpoint", row.endpoint)
            dataset = version.ref
            said = f"{version.rows:,} rows, {gathered.labelled:,} of them asked of {row.endpoint} and labelled"
            course.tell(uow, row, "collected", said, "dataset", version.ref)
        _train(uow, row, policy, dataset)


def dataset_of(endpoint: str) -> str:
    return f"renewal-{endpoint}"


def _train(uow: UnitOfWork, row: RenewalRow, policy: Policy, dataset: str | None) -> None:
    run = training.start(
        uow,
        policy.pipeline,
        trigger=row.cause,
        reason=row.reason,
        dataset=dataset,
        window={} if dataset is not None else policy.window,
        endpoint=row.endpoint,
        job=f"job_{row.id}_training",
    )
    row.training_run = run.id
    course.move(uow, row, RenewalState.TRAINING, f"pipeline {policy.pipeline} trains", "training_run", run.id)


def _lacking(uow: UnitOfWork, row: RenewalRow, wanted: Labelled) -> str | None:
    """What labelled rows are still to come, as a clause; None when there are enough."""
    since = _since(uow, row, wanted)
    there = labelled_window(uow, row.endpoint, since=since, rows=wanted.min_rows).labelled
    if there >= wanted.min_rows:
        return None
    return f"{there:,} rows asked since {since:%Y-%m-%d %H:%M} UTC have labels, {wanted.min_rows:,} are needed"


def _since(uow: UnitOfWork, row: RenewalRow, wanted: Labelled) -> datetime:
    """From when on rows count: since the drift began, where it did; never longer ago than the policy says."""
    oldest = row.started_at - timedelta(days=wanted.days)
    begun = [each.since_at or each.opened_at for each in (alarms.get(uow, alarm) for alarm in row.alarms)]
    return max(oldest, min(begun)) if begun else oldest


def _wait(workspace: Workspace, renewal: str, policy: Policy, why: str) -> None:
    assert policy.labelled is not None
    with workspace.writing(course.BY) as uow:
        row = course.locked(uow, renewal)
        if row.state != RenewalState.COLLECTING:
            return
        waited_s = (uow.clock.now() - row.started_at).total_seconds()
        if waited_s > policy.labelled.patience_s:
            course.end(uow, row, RenewalState.SKIPPED, f"too few rows to learn from: {why}")
            return
        if not row.said:
            course.tell(uow, row, "waiting", why)
        row.said = why
        course.work(uow, row, after_s=min(max(LOOK_S, PATIENCE * waited_s), SELDOM_S))


def _gathered(uow: UnitOfWork, row: RenewalRow, policy: Policy) -> Gathered:
    """The pipeline's rows without those the champion held out, which are to judge by, and the labelled ones."""
    assert policy.labelled is not None
    assert row.champion is not None
    declared = training.get(uow, policy.pipeline).declared
    base = datasets.get(uow, learning.dataset_of(declared))
    window = windows.parse(declared.get("window") if policy.window is None else dict(policy.window))
    champion = models.get(uow, row.champion)
    kept = lessons.keys(lessons.of(uow, champion).held_out, champion.signature) if _judges_by_old(policy) else set()
    rows = [
        each
        for each in learning.windowed(datasets.rows(uow, base), window.pinned(uow.clock.now()))
        if lessons.key(each, champion.signature) not in kept
    ]
    oldest = uow.clock.now() - timedelta(days=policy.labelled.days)
    asked = labelled_window(uow, row.endpoint, since=oldest)
    new = _as_rows(asked, champion.signature, learning.time_columns(declared))
    return Gathered([*rows, *new], len(new), base.ref)


def _judges_by_old(policy: Policy) -> bool:
    """Whether the rows that the champion held out are to judge by, so that nobody may learn from them."""
    return policy.dataset is None and policy.compare_on is CompareOn.BOTH


def _as_rows(asked: LabelledWindow, signature: Signature, times: Collection[str]) -> list[Row]:
    """Rows as the pipeline's dataset has them; a column that orders them in time says when the row was asked."""
    names = [each.name for each in signature.inputs]
    return [
        {
            **dict.fromkeys(times, f"{at:%Y-%m-%dT%H:%M:%S}"),
            **dict(zip(names, values, strict=True)),
            signature.output.name: label,
        }
        for values, label, at in zip(asked.inputs, asked.labels, asked.predicted_at, strict=True)
        if len(values) == len(names)
    ]
