"""A flow, loaded: its file read, its Python imported, its templates compiled; ready to run many times.

A flow's Python runs with the rights of this process; load only flows you would run by hand.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

from opsloop.core.clock import Clock, SystemClock
from opsloop.flows import executor, graph, package, single_node
from opsloop.flows.call import Emit
from opsloop.flows.connections import lookup
from opsloop.flows.environment import set_variables
from opsloop.flows.executor import Limits
from opsloop.flows.formats import flex, flow_file
from opsloop.flows.model_access import ModelAccess, current_models, unknown_connections
from opsloop.flows.models import Flow
from opsloop.flows.nodes.port import ENTRY, Kit
from opsloop.flows.openai_usage import count_openai_calls
from opsloop.flows.overrides import overridden
from opsloop.flows.plan import Plan, make_plan
from opsloop.flows.results import AggregateResult, FlowResult, NodeRun, TextDelta
from opsloop.flows.shim_finder import install_shim
from opsloop.flows.threads import NodeThreads
from opsloop.flows.user_code import UserModules, forget, install_finder, noticed_libraries
from opsloop.llm.port import ChatProvider

KEPT = 32
Within = Callable[[Path], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Source:
    """What a flow was loaded from, so that another process can load it too.

    Args:
        is_of_this_process: it was loaded with objects that only this process has.
    """

    path: Path
    variants: Mapping[str, str]
    init: Mapping[str, Any] | None = None
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_of_this_process: bool = False


class LoadedFlow:
    """Made by `load`. Runs on any event loop, any number at a time."""

    def __init__(
        self,
        plan: Plan,
        modules: UserModules,
        models: ModelAccess,
        source: Source,
        *,
        clock: Clock,
        limits: Limits,
        is_assembled: bool = False,
    ) -> None:
        self.flow: Flow = plan.flow
        self.source = source
        self._plan = plan
        self._models = models
        self._clock = clock
        self._limits = limits
        weakref.finalize(self, forget, modules.package)
        if is_assembled:
            weakref.finalize(self, shutil.rmtree, plan.flow.folder, ignore_errors=True)

    def __repr__(self) -> str:
        return f"LoadedFlow({self.flow.name!r})"

    @property
    def name(self) -> str:
        return self.flow.name

    @property
    def chat_input(self) -> str | None:
        """Name of the input that takes the chat's question."""
        return self.flow.chat_input

    @property
    def chat_history(self) -> str | None:
        """Name of the input that takes the turns before: a list of `{"inputs": {…}, "outputs": {…}}`."""
        return self.flow.chat_history

    @property
    def chat_output(self) -> str | None:
        """Name of the output that is the chat's answer."""
        return self.flow.chat_output

    @functools.cached_property
    def digest(self) -> str:
        """Names the flow's content and chosen variants: what ran is the same when this is."""
        content = package.digest_of(self.flow.folder, file=self.flow.file)
        chosen = [f"{node}.{id}" for node, id in sorted(self.flow.chosen_variants.items())]
        if self.flow.entry is not None and not (self.flow.folder / self.flow.file).is_file():
            chosen.append(str(self.flow.entry))  # no file of the folder says what is called
        return hashlib.sha256("\n".join([content, *chosen]).encode()).hexdigest()

    def unknown_connections(self) -> tuple[str, ...]:
        """A sentence for each connection that a node names and nobody knows here."""
        return unknown_connections(self.flow, self._models)

    async def run_node(self, name: str, given: Mapping[str, Any]) -> NodeRun:
        """Run one node alone.

        Args:
            given: its inputs by their names, or what it reads by `NODE.output` and the flow's inputs by theirs.
        Raises: InputInvalid; NodeFailed.
        """
        with self._asked():
            return await single_node.run(self._plan, name, given)

    @property
    def has_aggregation(self) -> bool:
        return bool(self._plan.aggregation)

    async def run(self, inputs: Mapping[str, Any]) -> FlowResult:
        """Run once. Raises: InputInvalid; NodeFailed, NodeTimedOut, NodeUnavailable with the traces as `.result`."""
        return await self._run(self._plan, inputs, clock=self._clock, limits=self._limits)

    async def stream(self, inputs: Mapping[str, Any]) -> AsyncGenerator[TextDelta | FlowResult, None]:
        """Run once, giving the chat output's text as it is made; the last item is the FlowResult.

        Closing the iterator cancels the run. Raises: as `run`.
        """
        # A generator of this object, so that the flow's modules stay known until the stream has ended.
        run = executor.stream(self._plan, inputs, clock=self._clock, limits=self._limits, run=self._run)
        async with aclosing(run) as events:
            async for event in events:
                yield event

    async def aggregate(self, results: Iterable[FlowResult]) -> AggregateResult:
        """Run the aggregation nodes over completed runs. Raises: as `run`."""
        return await self.aggregate_rows([result.for_aggregation for result in results])

    async def aggregate_rows(self, rows: list[Mapping[str, Any]]) -> AggregateResult:
        """As `aggregate`, over `for_aggregation` of each run."""
        with self._asked():
            return await executor.aggregate(self._plan, rows, clock=self._clock, limits=self._limits)

    async def _run(
        self, plan: Plan, given: Mapping[str, Any], *, clock: Clock, limits: Limits, emit: Emit | None = None
    ) -> FlowResult:
        with self._asked():
            return await executor.run(plan, given, clock=clock, limits=limits, emit=emit)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """While users' Python runs: where a prompty that it calls finds its model."""
        token = current_models.set(self._models)
        try:
            yield
        finally:
            current_models.reset(token)

    def run_sync(self, inputs: Mapping[str, Any]) -> FlowResult:
        """`run`, for code without an event loop."""
        return asyncio.run(self.run(inputs))


def load(
    path: Path | str,
    *,
    variants: Mapping[str, str] | None = None,
    chat: ChatProvider | None = None,
    connections: Mapping[str, Any] | None = None,
    init: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    target: Callable[..., Any] | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
    within: Within = nullcontext,
) -> LoadedFlow:
    """The flow at a path, ready to run. The same flow, unchanged on disk, is loaded once.

    Args:
        path: folder of the flow, or its file: `flow.dag.yaml`, `flow.flex.yaml`, a `.prompty`.
        variants: node name to the id of the variant to use instead of the default.
        chat: what answers LLM nodes; unset: by the settings of the current workspace, else the offline engine.
        connections: by name, before those of the project; see `connections.lookup`.
        init: what the class of a flex flow is made with; unset: the values of its sample.
        overrides: by node, inputs that replace those written in the flow; `connection` of an LLM node too.
        target: what a flex flow calls for each row, made already; see `entries`.
        within: what its Python is loaded in, given the folder with its files: `working_folder.at_home`.
    Raises: FlowMissing, FlowInvalid, TemplateFailed.
    """
    file = flow_file.find(Path(path))
    plain = all(each is None for each in (chat, init, target, limits, clock)) and not (connections or overrides)
    if not plain:
        models = ModelAccess(lookup.here(connections), chat)
        flow = overridden(flow_file.read(file, variants=variants), overrides or {})
        flow = flow if target is None else flex.aggregating(flow, target)
        is_bound = any(each is not None for each in (chat, connections, target, limits, clock))
        source = Source(file.absolute(), variants or {}, init, overrides or {}, is_of_this_process=is_bound)
        return _load(flow, models, source, target, limits or Limits(), clock or SystemClock(), within)
    seen = lookup.here()
    chosen = tuple(sorted((variants or {}).items()))
    key = (str(file.resolve()), chosen, hash((seen.files, seen.stores, changes_of([*seen.paths(), *_files_of(file)]))))
    with _lock:
        if (known := _loaded.get(key)) is not None:
            _loaded.move_to_end(key)
            return known
    flow = flow_file.read(file, variants=variants)
    source = Source(file.absolute(), variants or {})
    loaded = _load(flow, ModelAccess(seen), source, None, Limits(), SystemClock(), within)
    with _lock:
        loaded = _loaded.setdefault(key, loaded)
        while len(_loaded) > KEPT:
            _loaded.popitem(last=False)
    return loaded


_Key = tuple[str, tuple[tuple[str, str], ...], int]
_loaded: OrderedDict[_Key, LoadedFlow] = OrderedDict()
_lock = threading.Lock()


def _load(
    flow: Flow,
    models: ModelAccess,
    source: Source,
    target: Callable[..., Any] | None,
    limits: Limits,
    clock: Clock,
    within: Within,
) -> LoadedFlow:
    install_finder()
    install_shim()
    noticed_libraries["openai"] = count_openai_calls
    graph.in_order(flow)
    is_assembled = bool(flow.additional_includes)
    with ExitStack() as undone:  # when it cannot be loaded
        if is_assembled:
            folder = Path(tempfile.mkdtemp(prefix="opsloop-flow-")).resolve()
            undone.callback(shutil.rmtree, folder, ignore_errors=True)
            _assemble(flow, folder)
            flow = replace(flow, folder=folder)
        set_variables(flow, models.connections)
        modules = UserModules(flow.folder)
        undone.callback(modules.close)
        # Threads of its own: a flow whose nodes never return holds up itself, and not the one that stands in for it.
        kit = Kit(
            flow,
            modules,
            NodeThreads(),
            models,
            source.init,
            {} if target is None else {ENTRY: target},
            target is not None,
        )
        token = current_models.set(models)
        try:
            with within(flow.folder):
                plan = make_plan(flow, kit)
        finally:
            current_models.reset(token)
        undone.pop_all()
    return LoadedFlow(plan, modules, models, source, clock=clock, limits=limits, is_assembled=is_assembled)


def _assemble(flow: Flow, folder: Path) -> None:
    """Put the flow's files, and those it includes, into a folder of their own."""
    files = package.files_of(flow.folder, flow.additional_includes)
    package.write_files(folder, [(file.path, file.place.read_bytes()) for file in files])


def _files_of(file: Path) -> Iterator[Path]:
    """The files that a flow is made of, as far as a change of them is looked for."""
    if file.suffix == ".prompty":
        yield file  # it may lie anywhere, with anything beside it
        return
    flow = flow_file.read(file)
    for place in (flow.folder, *((flow.folder / each).resolve() for each in flow.additional_includes)):
        yield from place.rglob("*") if place.is_dir() else (place,)


def changes_of(paths: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever one of the files does: names, sizes and times of change."""
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue  # it is not there, or went while we looked
        if S_ISREG(stat.st_mode) and "__pycache__" not in path.parts:
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))
