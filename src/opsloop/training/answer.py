"""The answer to an order: a model trained on a version's rows, ready to be registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.context import current_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models.candidate import Candidate
from opsloop.training.candidates import candidate
from opsloop.training.compute import Compute
from opsloop.training.on_cores import OnCores
from opsloop.training.orders import Order, Project
from opsloop.training.pipeline import parse
from opsloop.training.reading import table_in
from opsloop.training.report import Report, report_of
from opsloop.training.runner import train_table


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Args:
    candidate: what the registry takes.
    """

    report: Report
    candidate: Candidate


def answer_to(order: Order, progress: Callable[[int, int, str], None]) -> bytes:
    """Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ExtraNeeded."""
    spec = parse(order.declared, order.at, folder=Path(order.folder))
    table = table_in(Path(order.parquet), order.schema, spec, order.wanted)
    if spec.function is not None and order.project is not None:
        _open(order.project)
    with chosen(spec.compute, order) as compute:
        trained = train_table(
            spec, table, seed=order.seed, progress=progress, compute=compute, environment=dict(order.data)
        )
    progress(1, 1, "converting to ONNX")
    made = candidate(trained, seed=spec.seed if order.seed is None else order.seed)
    return msgspec.msgpack.encode(Answer(report=report_of(trained), candidate=made))


def _open(project: Project) -> None:
    """Let the user's functions read the project's datasets."""
    from opsloop.core.opening import open_workspace  # with the database's library, which few runs need

    workspace = open_workspace(CoreSettings(**project.settings), file_values=project.file_values)
    current_workspace.set(workspace)


@contextmanager
def chosen(declared: str | None, order: Order) -> Iterator[Compute]:
    """Where fits run: as the pipeline says, else as the order. Raises: ExtraNeeded, InvalidInput, RayAway."""
    if (declared or order.compute) == "local":
        yield OnCores(order.processes)
        return
    from opsloop.training.on_ray import on_ray  # loads Ray, an extra

    settings = ComputeSettings(compute="ray", ray_address=order.ray_address, ray_workers=order.ray_workers)
    with on_ray(settings) as compute:
        yield compute
