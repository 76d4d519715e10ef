"""Make a dataset version of the rows that a model predicted and that have labels: data to train the next one on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import service as datasets
from opsloop.monitoring.drift import watches
from opsloop.monitoring.labels.window import LabelledWindow, labelled_window

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Exported:
    """Args: dataset: the version that was made; labelled, served: rows with labels, of those predicted."""

    dataset: str
    labelled: int
    served: int
    sentence: str


def export(
    workspace: Workspace,
    by: Caller,
    endpoint: str,
    *,
    name: str,
    since: datetime | None = None,
    rows: int | None = None,
    with_origin: bool = False,
) -> Exported:
    """Register the labelled rows of a time, or so many of the newest, as a dataset's next version.

    Its columns are the model's inputs and its output, holding the labels; with their origin also the request, the row,
    the release, what was predicted and when.

    Raises: InvalidInput when no row has a label, or the model's inputs are not known.
    """
    with workspace.reading(by) as uow:
        window = labelled_window(uow, endpoint, since=since, rows=rows)
        columns = columns_of(uow, endpoint)
    if not window.labelled:
        raise InvalidInput(f"{window.sentence}: there is nothing to export; send labels first", field="endpoint")
    lines = b"\n".join(_encode(each) for each in records(window, *columns, with_origin=with_origin)) + b"\n"
    snapshot = datasets.prepare(workspace, f"{endpoint}.jsonl", lines)
    inspected = datasets.inspect(workspace, by, name, snapshot)
    with workspace.writing(by) as uow:
        version = datasets.register_snapshot(uow, name, f"{endpoint}.jsonl", snapshot, inspected=inspected)
        uow.audit("labels.exported", f"endpoint/{endpoint}", dataset=version.ref, labelled=window.labelled)
    return Exported(version.ref, window.labelled, window.served, f"{version.ref}: {window.sentence}")


def columns_of(uow: UnitOfWork, endpoint: str) -> tuple[list[str], str]:
    """The names of the inputs and of the output of the model that was watched last. Raises: InvalidInput."""
    for watch in watches.of_endpoint(uow, endpoint):
        model = watch.about.get("model", {})
        if model.get("inputs"):
            return [str(each["name"]) for each in model["inputs"]], str(model.get("output") or "label")
    raise InvalidInput(f"endpoint {endpoint!r} serves no model whose inputs are known", field="endpoint")


def records(
    window: LabelledWindow, inputs: list[str], output: str, *, with_origin: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows as a dataset has them; rows of a release with other inputs are left out."""
    for place, row in enumerate(window.inputs):
        if len(row) != len(inputs):
            continue
        record = dict(zip(inputs, row, strict=True)) | {output: window.labels[place]}
        if with_origin:
            record |= {
                "request_id": window.request_ids[place],
                "request_row": window.rows[place],
                "release": window.releases[place],
                "predicted": window.predicted[place],
                "predicted_at": window.predicted_at[place].isoformat(),
            }
        yield record
