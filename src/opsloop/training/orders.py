"""What goes to a process that trains, and what comes back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from opsloop.core.errors import ExtraNeeded, Failed, OpsloopError
from opsloop.datasets.models import Column
from opsloop.models.errors import ModelFileBroken, ParityMissed
from opsloop.training.errors import DataUnfit, FitFailed, FunctionBroke, PipelineInvalid, PredictionFailed
from opsloop.training.reading import Wanted

if TYPE_CHECKING:
    from opsloop.core.workspace import Workspace

ORDER_FILE = "order.json"
ANSWER_FILE = "answer.msgpack"
_KNOWN: dict[str, type[OpsloopError]] = {
    each.__name__: each
    for each in (
        PipelineInvalid,
        DataUnfit,
        FunctionBroke,
        FitFailed,
        PredictionFailed,
        ParityMissed,
        ModelFileBroken,
        ExtraNeeded,
    )
}


class Project(msgspec.Struct, frozen=True):
    """What a workspace is opened with: settings, and those of the project's file."""

    settings: dict[str, Any]
    file_values: dict[str, Any]

    @classmethod
    def of(cls, workspace: Workspace) -> Project:
        """Opened from any folder it is the same."""
        settings = workspace.settings
        anywhere = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
        return cls(anywhere.model_dump(mode="json"), dict(workspace.file_values))


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline to run on a dataset version.

    Args:
        declared: the pipeline as `pipeline.parse` reads it, which stands at `at` in its file.
        folder: with the files of its functions; empty: the working folder.
        parquet: the version's rows, with the columns `schema`.
        data: name and digest of the version, to be recorded.
        processes: fits at a time on this machine, at most.
        project: whose datasets a function may read.
    """

    declared: dict[str, Any]
    parquet: str
    schema: tuple[Column, ...]
    at: str = ""
    folder: str = ""
    wanted: Wanted = Wanted()
    data: dict[str, str] = {}
    seed: int | None = None
    compute: str = "local"
    processes: int = 1
    ray_address: str | None = None
    ray_workers: int | None = None
    project: Project | None = None


class News(msgspec.Struct, frozen=True):
    """How far a run is."""

    done: int
    total: int
    message: str


class Trouble(msgspec.Struct, frozen=True):
    """An error as it goes from process to process."""

    kind: str
    sentence: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, error: OpsloopError) -> Trouble:
        facts = {
            name: value if isinstance(value, str | int | float | bool) else repr(value)
            for name, value in error.facts.items()
        }
        return cls(type(error).__name__, error.sentence, facts)

    def error(self) -> OpsloopError:
        """Of the class it was, when that is one of training."""
        found = _KNOWN.get(self.kind, Failed)
        made = found.__new__(found)
        OpsloopError.__init__(
            made, self.sentence, **{name: value for name, value in self.facts.items() if name != "message"}
        )
        return made
