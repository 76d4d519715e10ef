"""`Run`: a batch run as scripts of Prompt flow see it, declared by them or kept already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

from opsloop.core.errors import InvalidInput
from opsloop.datasets.formats import registry
from opsloop.flows import run_file
from opsloop.flows.batch_run_folder import BatchRun, RunStatus
from opsloop.flows.entries import entered
from opsloop.flows.run_file import RunWanted, variant_of

STATUS = {
    RunStatus.RUNNING: "Running",
    RunStatus.COMPLETED: "Completed",
    RunStatus.FAILED: "Failed",
    RunStatus.INTERRUPTED: "Canceled",
}
_OVERRIDES = ("flow", "data", "run", "name", "display_name", "description", "variant", "column_mapping", "tags",
              "environment_variables", "connections", "init")  # fmt: skip


class Run:
    """Args:
    flow: a path, `module:function`, or a function or object to call.
    run: the earlier run that `${run.outputs.…}` reads, or its name.
    variant: `${node.variant}`.
    connections: by node, inputs that replace those of the flow.
    """

    def __init__(
        self,
        flow: Any = None,
        *,
        name: str | None = None,
        data: str | PathLike[str] | None = None,
        run: Run | str | None = None,
        column_mapping: Mapping[str, Any] | None = None,
        variant: str | None = None,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        environment_variables: Mapping[str, str] | None = None,
        init: Mapping[str, Any] | None = None,
        display_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        code: str | PathLike[str] | None = None,
        **_: Any,
    ) -> None:
        self.flow = flow
        self.name = name
        self.data = None if data is None else str(data)
        self.run = run.name if isinstance(run, Run) else run
        self.column_mapping = dict(column_mapping or {})
        self.variant = variant
        self.connections = {node: dict(values) for node, values in (connections or {}).items()}
        self.environment_variables = {key: str(value) for key, value in (environment_variables or {}).items()}
        self.init = None if init is None else dict(init)
        self.display_name = display_name
        self.description = description
        self.tags = {key: str(value) for key, value in (tags or {}).items()}
        self.code = None if code is None else Path(code)
        self.kept: BatchRun | None = None

    @classmethod
    def of_kept(cls, kept: BatchRun) -> Self:
        made = cls(
            kept.flow,
            name=kept.name,
            data=kept.data,
            run=kept.run,
            column_mapping=kept.column_mapping,
            variant=next((f"${{{node}.{id}}}" for node, id in kept.variants.items()), None),
            connections=kept.connections,
            environment_variables=kept.environment_variables,
            init=kept.init,
            display_name=kept.display_name or kept.name,
            description=kept.description,
            tags=kept.tags,
        )
        made.kept = kept
        return made

    @classmethod
    def of_wanted(cls, wanted: RunWanted) -> Self:
        """A run as a run file declares it."""
        return cls(
            wanted.flow,
            name=wanted.name,
            data=wanted.data,
            run=wanted.run,
            column_mapping=wanted.column_mapping,
            variant=next((f"${{{node}.{id}}}" for node, id in wanted.variants.items()), None),
            connections=wanted.connections,
            environment_variables=wanted.environment_variables,
            init=wanted.init,
            display_name=wanted.display_name,
            description=wanted.description,
            tags=wanted.tags,
        )

    @property
    def status(self) -> str:
        return "NotStarted" if self.kept is None else STATUS[self.kept.status]

    @property
    def created_on(self) -> Any:
        return None if self.kept is None else self.kept.created_at

    @property
    def properties(self) -> dict[str, Any]:
        if self.kept is None:
            return {}
        tokens = self.kept.tokens
        counted: dict[str, Any] = {
            "total_tokens": tokens.total,
            "prompt_tokens": tokens.prompt,
            "completion_tokens": tokens.completion,
            # Never 0 in silence: what no server counted is told.
            **({"uncounted_calls": tokens.uncounted_calls} if tokens.uncounted_calls else {}),
        }
        if self.kept.ended_at is not None:
            counted["duration"] = (self.kept.ended_at - self.kept.created_at).total_seconds()
        return {
            "flow_path": str(self.kept.flow),
            "output_path": str(self.kept.folder),
            "system_metrics": counted,
        }

    def wanted(self) -> RunWanted:
        """What to run. Raises: InvalidInput, FlowInvalid when the variant is none."""
        return RunWanted(
            flow=entered(self.flow, self.code).path.absolute(),
            data=_absolute(self.data),
            run=self.run,
            column_mapping=self.column_mapping,
            variants=variant_of(self.variant, file="the run") if self.variant else {},
            init=None if self.init is None else {key: _kept(value) for key, value in self.init.items()},
            environment_variables=self.environment_variables,
            connections=self.connections,
            name=self.name,
            display_name=self.display_name,
            description=self.description,
            tags=self.tags,
            is_lenient=True,
        )

    def _to_dict(self) -> dict[str, Any]:
        """The run as `pf run show` prints it."""
        kept = self.kept
        return {
            "name": self.name,
            "created_on": None if kept is None else kept.created_at.isoformat(),
            "status": self.status,
            "display_name": self.display_name,
            "description": self.description,
            "tags": self.tags or None,
            "properties": self.properties,
            "flow_name": None if kept is None else kept.flow_name,
            "data": self.data,
            "output": None if kept is None else str(kept.outputs_file),
            **({"run": self.run} if self.run else {}),
            **({"error": {"message": kept.error}} if kept is not None and kept.error else {}),
        }

    def __repr__(self) -> str:
        return f"Run(name={self.name!r}, status={self.status!r})"


def load_run(source: str | PathLike[str], params_override: Any = None, **_: Any) -> Run:
    """The run that a run file declares.

    Args:
        params_override: mappings of values that come before those in the file.
    Raises: FlowInvalid, InvalidInput.
    """
    run = Run.of_wanted(run_file.read(Path(source)))
    for overrides in params_override or ():
        for key, value in overrides.items():
            override(run, str(key), value)
    return run


def override(run: Run, key: str, value: Any) -> None:
    """Replace one value of a declared run: `display_name`, `tags.owner`. Raises: InvalidInput."""
    name, dot, inner = key.partition(".")
    if name not in _OVERRIDES:
        raise InvalidInput(field="set", value=key, wanted=f"one of {', '.join(_OVERRIDES)}")
    if dot:
        values = dict(getattr(run, name) or {})
        setattr(run, name, {**values, inner: value})
    else:
        setattr(run, name, value.name if isinstance(value, Run) else value)


def _absolute(data: str | None) -> str | None:
    """Rows may also be those of a dataset version, which is no path; a folder with one file of rows means that."""
    if data is None or not Path(data).exists():
        return data
    place = Path(data).absolute()
    inside = [each for each in place.iterdir() if each.suffix in registry.known()] if place.is_dir() else []
    return str(inside[0] if len(inside) == 1 else place)


def _kept(value: Any) -> Any:
    """A value of `init` as JSON can hold it: a model configuration as its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: part for key, part in asdict(value).items() if part is not None}
    return value
