"""A project's pipelines on the platform: with the Python they name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from opsloop.client.http import Client
from opsloop.core.errors import Failed, InvalidInput
from opsloop.training.code import document
from opsloop.training.models import Pipeline, TrainingRun, TrainingStatus

if TYPE_CHECKING:
    from opsloop.client.project_pipelines import PipelineWanted

FUNCTIONS = ("build", "train")


class TrainingFailed(Failed):
    template = "training run {run} of {pipeline} {what}: {reason}"


def put(client: Client, wanted: PipelineWanted) -> Pipeline:
    """Let the platform know a pipeline as the project has it, and its schedule."""
    return client.training.put(wanted.name, wanted.declared, code=code_of(wanted))


def code_of(wanted: PipelineWanted) -> dict[str, str]:
    """The Python that a pipeline names, with what lies beside it: it may import its neighbours.

    Raises: InvalidInput when the file is not there or is no text.
    """
    named = next((wanted.declared[key] for key in FUNCTIONS if isinstance(wanted.declared.get(key), str)), None)
    if named is None:
        return {}
    file = wanted.folder / named.rpartition(":")[0]
    if not file.is_file():
        where = f"pipelines.{wanted.name}"
        raise InvalidInput(f"{where}: {file} is not there; wanted a file of Python in the project", field=where)
    return {each.relative_to(wanted.folder).as_posix(): _text(wanted, each) for each in _beside(wanted.folder, file)}


def digest_of(wanted: PipelineWanted) -> str:
    """What names the Python of a pipeline on the platform; empty where there is none."""
    code = code_of(wanted)
    return hashlib.sha256(document(code)).hexdigest() if code else ""


def run(
    client: Client,
    name: str,
    *,
    dataset: str | None = None,
    force: bool = False,
    reason: str = "",
    timeout_s: float | None = None,
    tell: Callable[[TrainingRun], None] = lambda _: None,
) -> TrainingRun:
    """Run a pipeline to its end. Raises: TrainingFailed, TrainingGoesOn."""
    started = client.training.start(name, dataset=dataset, force=force, reason=reason)
    return done(client.training.wait(started.id, timeout_s=timeout_s, tell=tell))


def done(found: TrainingRun) -> TrainingRun:
    """A run that made a version, or had none to make. Raises: TrainingFailed."""
    if found.status not in (TrainingStatus.DONE, TrainingStatus.SKIPPED):
        what = "was cancelled" if found.status is TrainingStatus.CANCELLED else "failed"
        raise TrainingFailed(run=found.id, pipeline=found.pipeline, what=what, reason=found.error)
    return found


def _beside(folder: Path, file: Path) -> list[Path]:
    """The Python of a file's folder and below; of the project's own folder only what lies in it."""
    beside = file.parent.glob("*.py") if file.parent == folder else file.parent.rglob("*.py")
    return sorted(each for each in beside if not any(part.startswith(".") for part in each.relative_to(folder).parts))


def _text(wanted: PipelineWanted, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = f"pipelines.{wanted.name}"
        raise InvalidInput(f"{where}: {file} cannot be read ({error}); wanted UTF-8 text", field=where) from None
