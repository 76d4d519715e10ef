"""`PFClient`: what scripts and notebooks drive Prompt flow with, on Opsloop's own engine.

Runs and connections are those of the project here (`opsloop.yaml`), outside of one those of this user.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.flows.batch_runs import waited
from opsloop.flows.compat.connection_operations import ConnectionOperations
from opsloop.flows.compat.flow_objects import load_flow
from opsloop.flows.compat.run_entity import Run
from opsloop.flows.compat.run_operations import MAX_ROWS, RunOperations, name_of
from opsloop.flows.entries import entered
from opsloop.flows.environment import for_a_while
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.results import FlowResult
from opsloop.flows.run_file import variant_of
from opsloop.flows.values import plain
from opsloop.flows.working_folder import at_home


class FlowOperations:
    """`client.flows`."""

    def test(
        self,
        flow: Any,
        *,
        inputs: Mapping[str, Any] | str | PathLike[str] | None = None,
        variant: str | None = None,
        node: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        init: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        **_: Any,
    ) -> Any:
        """Run once and give the outputs; of a prompt or function that gives no mapping, what it gives.

        Args:
            flow: a path, `module:function`, or a function or object to call.
            inputs: by name, or a file of JSON or JSON lines, of which the first counts; unset: the flow's sample.
            node: run this node alone; `inputs` are named like its own, or `NODE.output`.
            overrides: by node, inputs that replace those of the flow.
        Raises: FlowMissing, FlowInvalid, InputInvalid, FlowRunError.
        """
        found = entered(flow)
        given = _inputs(inputs)
        with for_a_while({key: str(value) for key, value in (environment_variables or {}).items()}):
            loaded = load(
                found.path.absolute(),
                variants=variant_of(variant, file="test") if variant else None,
                init=init,
                overrides=overrides,
                target=found.target,
            )
            with at_home(loaded.flow.folder):
                if node is not None:
                    return plain(waited(loaded.run_node(node, given)).output)
                inputs_of_test = {**loaded.flow.sample.inputs, **given}
                return _given(loaded, waited(loaded.run(inputs_of_test)))

    @staticmethod
    def load(source: str | PathLike[str], **kwargs: Any) -> Any:
        """The flow at a path, to be called. Raises: FlowMissing, FlowInvalid."""
        return load_flow(source, **kwargs)


class PFClient:
    """Prompt flow's client. `runs`, `flows` and `connections` hold the operations by noun."""

    def __init__(self, **_: Any) -> None:
        self.runs = RunOperations()
        self.flows = FlowOperations()
        self.connections = ConnectionOperations()

    def test(self, flow: Any, **how: Any) -> Any:
        """Run once and give the outputs. See `FlowOperations.test`."""
        return self.flows.test(flow, **how)

    def run(
        self,
        flow: Any = None,
        *,
        data: str | PathLike[str] | None = None,
        run: Run | str | None = None,
        column_mapping: Mapping[str, Any] | None = None,
        variant: str | None = None,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        environment_variables: Mapping[str, str] | None = None,
        name: str | None = None,
        display_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        resume_from: Run | str | None = None,
        code: str | PathLike[str] | None = None,
        init: Mapping[str, Any] | None = None,
        stream: bool = False,
        **_: Any,
    ) -> Run:
        """Run a flow over rows, and wait until all are done.

        Args:
            flow: a path, `module:function`, or a function or object to call.
            run: the earlier run that `${run.outputs.…}` reads.
            resume_from: go on with this run; what it finished is not done again. With a `name` a new run does, and the
                earlier one stays as it is.
            stream: print how it went.
        Raises: FlowMissing, FlowInvalid, InputInvalid, RowsMissing, RunThere. When rows fail it returns all the same.
        """
        if resume_from is not None:
            if any((flow, data, run, column_mapping, variant, connections, environment_variables, init)):
                wanted_form = "nothing beside it but a name, a display name and tags: a run goes on as it was begun"
                raise InvalidInput(field="resume_from", value=name_of(resume_from), wanted=wanted_form)
            done = self.runs.resume(name_of(resume_from), new_name=name, display_name=display_name, tags=tags)
        else:
            wanted = Run(
                flow,
                name=name,
                data=data,
                run=run,
                column_mapping=column_mapping,
                variant=variant,
                connections=connections,
                environment_variables=environment_variables,
                init=init,
                display_name=display_name,
                tags=tags,
                code=code,
            )
            done = self.runs.create_or_update(wanted)
        return self.stream(done) if stream else done

    def stream(self, run: Run | str, raise_on_error: bool = True) -> Run:
        """Print how a run went."""
        return self.runs.stream(run, raise_on_error)

    def get_details(self, run: Run | str, max_results: int = MAX_ROWS, all_results: bool = False) -> Any:
        """The rows with their inputs and outputs: a pandas.DataFrame where pandas is installed."""
        return self.runs.get_details(run, max_results, all_results)

    def get_metrics(self, run: Run | str) -> dict[str, Any]:
        return self.runs.get_metrics(run)

    def visualize(self, runs: Any, **_: Any) -> None:
        """Say where the runs are."""
        self.runs.visualize(runs)


def _inputs(given: Mapping[str, Any] | str | PathLike[str] | None) -> dict[str, Any]:
    if given is None or isinstance(given, Mapping):
        return dict(given or {})
    path = Path(given)
    text = path.read_text("utf-8-sig")
    found: dict[str, Any] = json.loads(text.lstrip().split("\n", 1)[0] if path.suffix == ".jsonl" else text)
    return found


def _given(loaded: LoadedFlow, result: FlowResult) -> Any:
    outputs: dict[str, Any] = plain(dict(result.outputs))
    # A prompt or function that gives one value is what that value is.
    if loaded.flow.spreads is not None and list(outputs) == ["output"]:
        return outputs["output"]
    return outputs
