"""What a challenger is judged by: rows that neither model learned from, or a golden dataset, and the gate over them.

A challenger is held against the champion on the champion's data and on its own. A version of the data that is wrong,
its labels mixed up say, makes a model that does well on that version alone: on the rows that made the champion it
fails. Where the truth itself has changed, that is wrong too, and `compare_on: new` judges by the new rows alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from opsloop.models.signature import Signature, Task
from opsloop.releases.renewal_policy import CompareOn, Policy

Row = Mapping[str, Any]
LEAST_ROWS = 60
"""Fewer rows show nothing within five points, even of two equal models: then rows count that one learned from."""

MOST_ROWS = 20_000
OLD, NEW = "old", "new"
_encode = msgspec.json.Encoder(order="sorted", enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a model learned from, and what it held out of that; both empty where nobody knows."""

    learned: Sequence[Row] = ()
    held_out: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """The rows to judge by: of the champion's data, and of the challenger's. `notes` say more of them."""

    old: Sequence[Row] = ()
    new: Sequence[Row] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def parts(self) -> dict[str, Sequence[Row]]:
        """Those that have rows, by what they are called."""
        return {name: rows for name, rows in ((OLD, self.old), (NEW, self.new)) if rows}


def chosen(champion: Lessons | None, challenger: Lessons, signature: Signature, compare_on: CompareOn) -> Trial:
    """The rows to judge by.

    Args:
        champion: None where there is none yet.
    """
    names = [each.name for each in signature.inputs] + [signature.output.name]
    learned = {row_key(row, names) for each in (champion, challenger) if each is not None for row in each.learned}
    notes: list[str] = []
    old: list[Row] = []
    if champion is not None and compare_on is CompareOn.BOTH:
        old = _apart(champion, learned, names, "the champion", notes)
    taken = {row_key(row, names) for row in old}
    new = [
        row
        for row in _apart(challenger, learned, names, "the challenger", notes)
        if compare_on is CompareOn.NEW or row_key(row, names) not in taken
    ]
    return Trial(_at_most(old, names), _at_most(new, names), tuple(notes))


def _apart(lessons: Lessons, learned: set[bytes], names: Sequence[str], whose: str, notes: list[str]) -> list[Row]:
    """Rows of a model's data that neither learned from; where they are few, those it held out, then all."""
    apart = _distinct((row for row in lessons.held_out if row_key(row, names) not in learned), names)
    if len(apart) >= LEAST_ROWS:
        return apart
    held_out = _distinct(lessons.held_out, names)
    if len(held_out) >= LEAST_ROWS:
        notes.append(f"the other model learned from some of the {len(held_out):,} rows that {whose} held out")
        return held_out
    every = _distinct((*lessons.learned, *lessons.held_out), names)
    if every:
        notes.append(f"{whose} learned from most of the {len(every):,} rows of its data that it is judged by")
    return every


def constant_share(rows: Iterable[Row], label: str) -> float:
    """The share of rows that the label which most of them have is right for: what a constant prediction would be."""
    counts = Counter(msgspec.json.encode(row.get(label)) for row in rows)
    return max(counts.values()) / sum(counts.values()) if counts else 0.0


def experiment(
    policy: Policy, signature: Signature, datasets: Mapping[str, str], *, name: str, constant: float | None
) -> dict[str, Any]:
    """What both models are measured by, with the gate, as in `experiment.yaml`.

    Args:
        datasets: by what they are called (`old`, `new`, or anything for a golden one), versions such as `golden@3`.
        constant: the share that a constant prediction is right on, where there is no champion to compare with.
    """
    is_class = signature.output.task is Task.CLASSIFICATION
    measures = ["classification", "brier"] if is_class else ["absolute_error", "squared_error"]
    return {
        "name": name,
        "datasets": [{"name": ref} for ref in datasets.values()],
        "evaluators": [dict(each) for each in policy.evaluators] or [{"name": each} for each in measures],
        "gate": _gate(policy, datasets, is_class=is_class, constant=constant),
    }


def _gate(policy: Policy, datasets: Mapping[str, str], *, is_class: bool, constant: float | None) -> dict[str, Any]:
    if constant is not None:
        sane = (
            {"metric": "classification", "at_least": constant}
            if is_class
            else {"metric": "squared_error.r2", "at_least": 0.0}
        )
        return {"rules": [sane]} if policy.gate is None else _with_sanity(policy.gate, sane, policy)
    if policy.gate is not None:
        return dict(policy.gate)
    demand = (
        {"metric": "classification", "margin": policy.margin}
        if is_class
        else {"metric": "absolute_error", "margin_pct": 100.0 * policy.margin}
    )
    if len(datasets) == 1:
        return {"rules": [demand]}
    slices = {f"{part} rows": f'dataset_version == "{ref}"' for part, ref in datasets.items()}
    return {"slices": slices, "rules": [{**demand, "slice": part} for part in slices]}


def _with_sanity(gate: Mapping[str, Any], sane: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """The declared gate, and beside it the sanity of a first version where its measure is taken."""
    measured = {each.get("name") for each in policy.evaluators}
    extra = [dict(sane)] if str(sane["metric"]).partition(".")[0] in measured else []
    return {**gate, "rules": [*gate.get("rules", []), *extra]}


def _distinct(rows: Iterable[Row], names: Sequence[str]) -> list[Row]:
    return list({row_key(row, names): row for row in rows}.values())


def _at_most(rows: Sequence[Row], names: Sequence[str]) -> Sequence[Row]:
    """Every n-th row where there are more than are needed: their order says nothing then."""
    step = -(-len(rows) // MOST_ROWS)
    return rows[::step] if step > 1 else rows


def row_key(row: Row, names: Sequence[str]) -> bytes:
    """What names a row: the values that models see, whatever number type a column has."""
    return _encode([_plain(row.get(name)) for name in names])


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
