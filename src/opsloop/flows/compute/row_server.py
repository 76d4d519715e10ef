"""What a worker is inside: a flow that was loaded once, and rows that run on it with news as they happen."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

from opsloop.core.context import current_workspace
from opsloop.flows import package
from opsloop.flows.calls import Answers, Cache, Kept, RowAnswers, current_answers
from opsloop.flows.compute.row_run import RowRun
from opsloop.flows.compute.workers import Answered, Ended, Handed, Job, News, Project
from opsloop.flows.loaded import Within, load
from opsloop.flows.results import NodeRun
from opsloop.flows.row_result import RowResult
from opsloop.flows.values import journalled

# By name: only where there is a project is the database's library loaded.
OPEN = "opsloop.core.opening:open_workspace"


class RowServer:
    """Raises: FlowMissing, FlowInvalid, and whatever else loading the flow does."""

    def __init__(self, job: Job, within: Within = nullcontext) -> None:
        # Rows run in a context of their own, in which the project is open.
        self._context = copy_context()
        if job.project is not None:
            self._context.run(_open, job.project)
        self._share = job.share
        self._keeps_answers = job.keeps_answers
        self._cache = job.cache
        flow = self._context.run(
            load,
            job.path if job.files is None else _unpacked(job.path, job.files),
            variants=job.variants,
            init=job.init,
            overrides=job.overrides or None,
            connections=job.connections or None,
            within=within,
        )
        self.folder = flow.flow.folder
        self._run = RowRun(flow, job.mapping, job.timeout_s)

    def settle(self) -> None:
        """Be in the flow's folder for good, as its code expects; for a process that runs nothing else."""
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))

    async def run(self, rows: Sequence[Handed]) -> AsyncIterator[News]:
        post = _Post()
        lanes = min(self._share, len(rows))
        work = asyncio.create_task(self._run_all(iter(rows), post, lanes=lanes), context=self._context.copy())
        work.add_done_callback(lambda _: post.close())
        try:
            while news := await post.get():
                yield news
            await work
        finally:
            work.cancel()

    async def _run_all(self, waiting: Iterator[Handed], post: _Post, *, lanes: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(self._work_off(waiting, post))

    async def _work_off(self, waiting: Iterator[Handed], post: _Post) -> None:
        for handed in waiting:
            cache = Cache(self._cache) if self._cache is not None else None
            with self._answers(handed, post, cache):
                result = await self._run(handed.row)
            post.put(Ended(_sendable(result), cache.found if cache is not None else 0))

    @contextmanager
    def _answers(self, handed: Handed, post: _Post, cache: Cache | None) -> Iterator[None]:
        places: list[Answers] = []
        if self._keeps_answers:

            async def send(place: str, answer: Kept) -> None:
                post.put(Answered(handed.row.index, place, answer))  # on its way before the flow sees it

            places.append(RowAnswers(handed.answers, send))
        if cache is not None:
            places.append(cache)
        token = current_answers.set(tuple(places))
        try:
            yield
        finally:
            current_answers.reset(token)


class _Post:
    """News on their way out; what is there together goes together."""

    def __init__(self) -> None:
        self._news: list[Answered | Ended] = []
        self._changed = asyncio.Event()
        self._is_closed = False

    def put(self, news: Answered | Ended) -> None:
        self._news.append(news)
        self._changed.set()

    def close(self) -> None:
        self._is_closed = True
        self._changed.set()

    async def get(self) -> News:
        """Nothing once it is closed and empty."""
        await self._changed.wait()
        news, self._news = self._news, []
        if not self._is_closed:
            self._changed.clear()
        return news


def _sendable(result: RowResult) -> RowResult:
    """As a journal would give it back: values of users' classes exist in this process alone."""
    return replace(
        result,
        inputs=journalled(result.inputs),
        outputs=journalled(result.outputs),
        for_aggregation=journalled(result.for_aggregation),
        nodes=tuple(map(_sendable_node, result.nodes)),
    )


def _sendable_node(run: NodeRun) -> NodeRun:
    return replace(
        run,
        output=journalled(run.output),
        inputs=journalled(run.inputs),
        conversation=journalled(list(run.conversation)),
    )


def _open(project: Project) -> None:
    workspace = resolve_name(OPEN)(project.settings, file_values=project.file_values)
    current_workspace.set(workspace)


def _unpacked(file: Path, files: Mapping[str, bytes]) -> Path:
    """The flow's file in a folder of its own, which goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="opsloop-flow-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    package.write_files(folder / file.parts[0], list(files.items()))  # a flow is named by its folder
    return folder / file
