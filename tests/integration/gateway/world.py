"""A gateway behind a real server, and flows whose behaviour a test chooses."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import types
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import Workspace
from opsloop.flows import package, versions
from opsloop.gateway.app import Gateway
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.releases import guarding
from opsloop.releases import service as releases
from opsloop.releases.driver import Driver

OPERATOR = Caller("test:operator", Role.ADMIN)
DAG = """
inputs:
  question: {type: string, is_chat_input: true}
  chat_history: {type: list, is_chat_history: true, default: []}
outputs:
  answer: {type: string, reference: "${answer.output.answer}", is_chat_output: true}
  citations: {type: list, reference: "${answer.output.citations}"}
  abstained: {type: bool, reference: "${answer.output.abstained}"}
nodes:
- name: answer
  type: python
  source: {type: code, path: answer.py}
  inputs: {question: "${inputs.question}", chat_history: "${inputs.chat_history}"}
"""
STREAMING_DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output}", is_chat_output: true}
nodes:
- name: answer
  type: python
  source: {type: code, path: answer.py}
  inputs: {question: "${inputs.question}"}
"""
HEAD = "import asyncio\nfrom promptflow.core import tool\n\n\n@tool\n"
ECHO = """
def answer(question: str, chat_history: list) -> dict:
    before = [turn["inputs"]["question"] + "/" + turn["outputs"]["answer"] for turn in chat_history]
    return {"answer": f"NAME says {question} after {before}", "citations": [{"quote": "q"}], "abstained": False}
"""
FAILS = """
def answer(question: str, chat_history: list) -> dict:
    raise ValueError("NAME is broken")
"""
HANGS = """
async def answer(question: str, chat_history: list) -> dict:
    import signals

    signals.entered.set()
    try:
        await asyncio.sleep(3600)
    finally:
        signals.left.set()
"""
WAITS = """
def answer(question: str, chat_history: list) -> dict:
    import signals

    signals.entered.set()
    assert signals.proceed.wait(60)
    return {"answer": "waited", "citations": [], "abstained": True}
"""
STREAMS = """
def answer(question: str):
    for word in ("one ", "two ", "three"):
        yield word
"""
BREAKS_OFF = """
def answer(question: str):
    yield "one "
    raise ValueError("NAME broke off")
"""
STREAMS_AND_HANGS = """
async def answer(question: str):
    import signals

    yield "one "
    signals.entered.set()
    try:
        await asyncio.sleep(3600)
    finally:
        signals.left.set()
"""


class Signals(types.ModuleType):
    """What flows of a test import as `signals`."""

    def __init__(self) -> None:
        super().__init__("signals")
        self.entered = threading.Event()
        self.proceed = threading.Event()
        self.left = threading.Event()


class Shop:
    """A workspace with the endpoint `chat` and whatever a test releases to it."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self._folder = folder
        self._count = 0

    def flow(self, code: str, *, dag: str = DAG) -> str:
        """A new flow version, as `name@number`."""
        self._count += 1
        name = f"flow-{self._count}"
        folder = self._folder / name
        folder.mkdir(parents=True)
        (folder / "flow.dag.yaml").write_text(dag)
        (folder / "answer.py").write_text(HEAD + code.lstrip().replace("NAME", name))
        with self.workspace.writing(OPERATOR) as uow:
            version = versions.register(uow, name, package.archive_of(folder))
        return f"{version.name}@{version.version}"

    def kept(self, name: str, **files: str) -> str:
        """A flow of any format, from its files, as `name@number`."""
        folder = self._folder / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text)
        with self.workspace.writing(OPERATOR) as uow:
            version = versions.register(uow, name, package.archive_of(folder))
        return f"{version.name}@{version.version}"

    def endpoint(self, name: str = "chat") -> None:
        with self.workspace.writing(OPERATOR) as uow:
            releases.create_endpoint(uow, name)

    def guard(self, policy: dict[str, Any], endpoint: str = "chat") -> None:
        """Give an endpoint guardrails; none for an empty policy."""
        with self.workspace.writing(OPERATOR) as uow:
            guarding.put(uow, endpoint, policy)

    def release(self, code: str, *, dag: str = DAG, endpoint: str = "chat", strategy: object = "blue-green") -> str:
        """A new release; returns its rollout's id."""
        return self.release_kept(self.flow(code, dag=dag), endpoint=endpoint, strategy=strategy)

    def release_kept(
        self,
        flow: str,
        *,
        endpoint: str = "chat",
        strategy: object = "blue-green",
        config: dict[str, Any] | None = None,
    ) -> str:
        """A release of a flow version; returns its rollout's id."""
        with self.workspace.writing(OPERATOR) as uow:
            made = releases.create_release(uow, endpoint, flow=flow, strategy=strategy, config=config or {})
            return made.rollout.id

    def canary(self, code: str, *, dag: str = DAG, share: float = 0.999999, shield: bool = True) -> str:
        """A candidate that has its share of traffic already."""
        steps = [{"share": share, "min_duration_s": 3600, "min_subjects": 1_000_000}]
        rollout = self.release(code, dag=dag, strategy={"canary": {"steps": steps, "shield": shield}})
        Driver.of(self.workspace, rollout).tick(self.workspace)
        return rollout

    def records(self, endpoint: str = "chat") -> list[RequestRecord]:
        with self.workspace.reading(OPERATOR) as uow:
            return [record for _, record in records.since(uow, endpoint, None)]


class Live:
    """A gateway that serves on a port of its own until it is stopped."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.gateway = Gateway(workspace)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address: tuple[str, int] = self._listener.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self._failure: BaseException | None = None
        self._is_started = threading.Event()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._is_started.wait(60)
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 (told to the test)
            self._failure = error
        finally:
            self._is_started.set()

    async def _serve(self) -> None:
        self._server = uvicorn.Server(self.config())
        # Signals belong to the main thread.
        self._server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
        self._loop = asyncio.get_running_loop()
        await self.gateway.start()
        self._is_started.set()
        await self._server.serve(sockets=[self._listener])

    def config(self) -> uvicorn.Config:
        return uvicorn.Config(self.gateway, lifespan="off", log_config=None, access_log=False, http="httptools")

    def call(self, what: Callable[[], Any]) -> Any:
        """Run a coroutine function on the server's loop."""
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(60)

    def drain(self, timeout_s: float = 20.0) -> None:
        """Everything that was answered is in the database when this returns."""
        if not self._is_stopped:
            self._is_stopped = True
            self.call(lambda: self.gateway.drain(timeout_s))

    def stop(self) -> None:
        self.drain()
        self._server.should_exit = True
        self._thread.join(30)
        if self._failure is not None:
            raise self._failure


def ask(http: httpx.Client, live: Live, question: str = "why?", **more: Any) -> httpx.Response:
    body = {"model": "chat", "messages": [{"role": "user", "content": question}], **more}
    return http.post(f"{live.url}/v1/chat/completions", json=body)


def wait_for(what: Callable[[], bool]) -> None:
    """Returns once it is so; fails when that takes too long."""
    until_s = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.02)
