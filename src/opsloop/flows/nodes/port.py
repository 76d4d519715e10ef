"""What a type of node is: given a node it prepares a runner, once; the runner is called in every run."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.flows.call import Call
from opsloop.flows.connections.lookup import Connections
from opsloop.flows.errors import FlowInvalid
from opsloop.flows.model_access import ModelAccess
from opsloop.flows.models import Flow, Node
from opsloop.flows.threads import NodeThreads
from opsloop.flows.user_code import UserModules

# Under this key a kit keeps what a flex flow calls for each row.
ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Runner:
    """A node, ready to run.

    `on_loop` always works. `in_thread` does the same synchronously, for nodes that wait for nothing asynchronous; the
    executor then calls it in a thread, several such nodes in a row without coming back to the loop. `leaves_context`
    says that `on_loop` sets no context variable for good, so that it needs no task of its own.
    """

    on_loop: Callable[[dict[str, Any], Call], Awaitable[Any]]
    in_thread: Callable[[dict[str, Any]], Any] | None = None
    leaves_context: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """What the nodes of one loaded flow are prepared with.

    `init` are the arguments a flex flow's class is made with; None for those of its sample. `is_made` when what a flex
    flow calls was handed over, and no other of it can be made. `kept` holds what nodes
    make once for all, under the lock `once`.
    """

    flow: Flow
    modules: UserModules
    threads: NodeThreads
    models: ModelAccess
    init: Mapping[str, Any] | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    is_made: bool = False
    once: threading.RLock = field(default_factory=threading.RLock)

    @property
    def folder(self) -> Path:
        return self.flow.folder

    @property
    def file(self) -> str:
        return self.flow.file

    @property
    def connections(self) -> Connections:
        return self.models.connections

    def wrong(self, node: Node, part: str, value: object, wanted: str, known: tuple[str, ...] = ()) -> FlowInvalid:
        return FlowInvalid(file=self.file, field=f"node {node.name}.{part}", value=value, wanted=wanted, known=known)

    def file_of(self, node: Node) -> Path:
        """The file a node's source names. Raises: FlowInvalid when it is not in the flow's folder."""
        path = node.source.path
        if path is None:
            raise self.wrong(node, "source.path", None, "a file of the flow's folder")
        place = Path(os.path.normpath(self.folder / path))  # not resolved: a link may lead to a neighbour's file
        if not place.is_relative_to(self.folder):
            raise self.wrong(node, "source.path", path, "a file inside the flow's folder (see additional_includes)")
        if not place.is_file():
            there = tuple(each.name for each in sorted(self.folder.iterdir()))
            raise self.wrong(node, "source.path", path, "a file that is there", there)
        return place


class ToolRaised(Exception):
    """Carries what a user's function raised, be that SystemExit or StopIteration, through the loop."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error
