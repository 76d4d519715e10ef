"""Actions of a test whose effects stand in a file, one line each, and that stand still where the test wants it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from pydantic import Field

from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents.models import Incident
from opsloop.remediation.actions import registry as actions
from opsloop.remediation.actions.action import Inside, Outside, Parameters
from opsloop.remediation.models import Done, Preview, Reach
from opsloop.remediation.playbooks import registry as playbooks
from opsloop.remediation.playbooks.playbook import Fit


class Where(Parameters):
    folder: str = Field(description="where lines are written and the files lie that let it stand still")


def stands_still(folder: str, place: str) -> None:
    """Until the file `hold-PLACE` is gone; `at-PLACE` says that it came here."""
    hold = Path(folder) / f"hold-{place}"
    if hold.exists():
        (Path(folder) / f"at-{place}").touch()
    while hold.exists():
        threading.Event().wait(0.02)


def write_line(folder: str, name: str, line: str) -> None:
    with open(Path(folder) / name, "a") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().split() if (folder / name).exists() else []


class Once(Outside[Where]):
    """Another system that does what it is told each time it is told."""

    kind = "test.once"
    form = Where
    can_undo = True

    def preview(self, workspace: Workspace, parameters: Where) -> Preview:
        return Preview("a line is written", "the same", reach=Reach(resources=1))

    def act(self, workspace: Workspace, parameters: Where, *, key: str, why: str) -> Done:
        stands_still(parameters.folder, "before")
        write_line(parameters.folder, "acts", key)
        stands_still(parameters.folder, "after")
        return Done("a line was written", {"line": key})

    def undo(self, workspace: Workspace, parameters: Where, known: dict[str, Any], *, why: str) -> str:
        stands_still(parameters.folder, "undo")
        if known["line"] not in lines(Path(parameters.folder), "undos"):
            write_line(parameters.folder, "undos", known["line"])
        return "the line was taken back"


class Keyed(Once):
    """Another system that knows by a key what it has done."""

    kind = "test.keyed"
    can_repeat = True

    def act(self, workspace: Workspace, parameters: Where, *, key: str, why: str) -> Done:
        stands_still(parameters.folder, "before")
        if key not in lines(Path(parameters.folder), "acts"):
            write_line(parameters.folder, "acts", key)
        stands_still(parameters.folder, "after")
        return Done("a line was written", {"line": key})


class Within(Inside[Where]):
    """A change of what Opsloop keeps: a record in the audit trail."""

    kind = "test.within"
    form = Where
    can_undo = True

    def preview(self, uow: UnitOfWork, parameters: Where) -> Preview:
        return Preview("a record is written", "the same", reach=Reach(resources=1))

    def act(self, uow: UnitOfWork, parameters: Where, *, why: str) -> Done:
        uow.audit("test.acted", "ledger", why=why)
        stands_still(parameters.folder, "after")
        return Done("a record was written", {})

    def undo(self, uow: UnitOfWork, parameters: Where, known: dict[str, Any], *, why: str) -> str:
        uow.audit("test.undone", "ledger", why=why)
        stands_still(parameters.folder, "undo")
        return "a record was written against it"


class Ledger:
    """Fits every incident."""

    title = "Write a line"

    def __init__(self, action: str, folder: Path) -> None:
        self.name = action.replace(".", "-")
        self.action = action
        self._folder = folder

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        return [Fit(f"ledger/{self.name}", ("a test wants it",), (), (), parameters={"folder": str(self._folder)})]


KINDS = ("test.once", "test.keyed", "test.within")


def install(folder: Path) -> None:
    """Let this process know them."""
    ours = (Once(), Keyed(), Within())
    actions.OURS = (*(each for each in actions.OURS if each.kind not in KINDS), *ours)
    names = {kind.replace(".", "-") for kind in KINDS}
    fitting = tuple(Ledger(each.kind, folder) for each in ours)
    playbooks.OURS = (*(each for each in playbooks.OURS if each.name not in names), *fitting)
    actions.actions.cache_clear()
    playbooks._coded.cache_clear()
