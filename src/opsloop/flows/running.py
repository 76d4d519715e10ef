"""Running a registered flow to look at it: within a time, its trace kept. It owns its units of work, as a job does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.context import current_workspace
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.flows import run_records, service, versions
from opsloop.flows.errors import FlowInvalid, FlowRunError, InputInvalid, suggestion
from opsloop.flows.executor import checked_inputs
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.models import Flow, FlowVersion
from opsloop.flows.results import FlowResult, TextDelta
from opsloop.flows.run_models import FlowRun
from opsloop.flows.run_records import Ended
from opsloop.flows.settings import FlowSettings

NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Ready:
    """A flow version and inputs that fit it, ready to run for somebody."""

    workspace: Workspace
    caller: Caller
    version: FlowVersion
    loaded: LoadedFlow
    inputs: Mapping[str, Any]

    @property
    def limit_s(self) -> float:
        return self.workspace.section(FlowSettings).flow_run_timeout_s


async def prepare(
    workspace: Workspace,
    caller: Caller,
    ref: str,
    inputs: Mapping[str, Any],
    variants: Mapping[str, str] | None = None,
) -> Ready:
    """Raises: NotAllowed, FlowVersionMissing, InputInvalid, FlowInvalid when the flow cannot be loaded."""
    caller.require(Role.DEVELOPER)
    version, loaded = await asyncio.to_thread(_opened, workspace, caller, ref, variants or {})
    flow = replace(loaded.flow, name=version.name)
    _refuse_unknown(flow, inputs)
    return Ready(workspace, caller, version, loaded, checked_inputs(flow, inputs))


async def run(ready: Ready) -> FlowRun:
    """Run once and keep the run, be it completed or failed."""
    started_at = ready.workspace.clock.now()
    with _in(ready.workspace):
        try:
            async with asyncio.timeout(ready.limit_s):
                result = await ready.loaded.run(ready.inputs)
            ended = Ended(started_at, ready.inputs, result)
        except (FlowRunError, TimeoutError) as error:
            ended = _failed(ready, started_at, error)
    return await asyncio.to_thread(_keep, ready, ended)


async def stream(ready: Ready) -> AsyncGenerator[TextDelta | FlowRun, None]:
    """As `run`, giving the chat output's text while it is made; the last item is the run.

    Closing the iterator cancels the run; then nothing is kept.
    """
    started_at = ready.workspace.clock.now()
    ended = Ended(started_at, ready.inputs, None)
    with _in(ready.workspace):
        items = ready.loaded.stream(ready.inputs)
    async with aclosing(items):
        until = asyncio.get_running_loop().time() + ready.limit_s
        try:
            while True:
                with _in(ready.workspace):
                    async with asyncio.timeout_at(until):
                        item = await anext(items)
                if isinstance(item, FlowResult):
                    ended = Ended(started_at, ready.inputs, item)
                    break
                yield item
        except (FlowRunError, TimeoutError) as error:
            ended = _failed(ready, started_at, error)
    yield await asyncio.to_thread(_keep, ready, ended)


def _opened(
    workspace: Workspace, caller: Caller, ref: str, variants: Mapping[str, str]
) -> tuple[FlowVersion, LoadedFlow]:
    with workspace.reading(caller) as uow:
        version = versions.get(uow, ref)
    if not variants:
        return version, versions.open(workspace, version)
    try:
        return version, load(service.materialise(workspace, version.digest), variants=variants)
    except FlowInvalid as error:
        if error.facts["field"] != "variant":
            raise
        raise InvalidInput(error.sentence, field="variants", wanted=error.facts["wanted"]) from None


def _refuse_unknown(flow: Flow, inputs: Mapping[str, Any]) -> None:
    for name in inputs:
        if name not in flow.inputs:
            known = ", ".join(list(flow.inputs)[:NAMES_SHOWN]) or "it has none"
            wanted = f"an input of flow {flow.name} ({known}){suggestion(name, flow.inputs)}"
            raise InputInvalid(
                f"inputs.{name[:80]} is not known: wanted {wanted}", field=f"inputs.{name[:80]}", wanted=wanted
            )


def _failed(ready: Ready, started_at: datetime, error: FlowRunError | TimeoutError) -> Ended:
    if isinstance(error, FlowRunError):
        return Ended(started_at, ready.inputs, error.result, error.sentence)
    sentence = f"the run did not end within {ready.limit_s:g} s and was cancelled; OPSLOOP_FLOW_RUN_TIMEOUT_S sets it"
    return Ended(started_at, ready.inputs, None, sentence, duration_ms=ready.limit_s * 1000)


def _keep(ready: Ready, ended: Ended) -> FlowRun:
    with ready.workspace.writing(ready.caller) as uow:
        return run_records.keep(uow, ready.version, ready.loaded.flow, ended)


@contextmanager
def _in(workspace: Workspace) -> Iterator[None]:
    token = current_workspace.set(workspace)
    try:
        yield
    finally:
        current_workspace.reset(token)
