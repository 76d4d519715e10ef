"""HTML pages that flows made at `/use`: kept under their hash for some days, then deleted.

The key names the day on which a report was made, `reports/ENDPOINT/2025-06-30/HASH`: a store tells no ages, and so
needs no table beside it. The same report made on another day is kept for that day too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta

from opsloop.console.settings import ConsoleSettings
from opsloop.core.artifacts.store import Artifacts, sha256_hex
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace

PREFIX = "reports/"
TEND_EVERY_S = 3_600.0


def keep(workspace: Workspace, endpoint: str, html: str) -> str:
    """Store a report; returns its name, `2025-06-30/HASH`."""
    data = html.encode("utf-8", "replace")
    name = f"{workspace.clock.now().date().isoformat()}/{sha256_hex(data)}"
    if not workspace.artifacts.exists(key := _key(endpoint, name)):
        workspace.artifacts.put(key, data)
    return name


def read(store: Artifacts, endpoint: str, name: str) -> bytes:
    """Raises: ArtifactMissing."""
    return store.get(_key(endpoint, name))


def delete_old(workspace: Workspace) -> int:
    """Delete reports whose days are over; returns how many."""
    days = workspace.section(ConsoleSettings).use_report_days
    before = workspace.clock.now().date() - timedelta(days=days)
    old = list(_made_before(workspace.artifacts, before))
    for each in old:
        workspace.artifacts.delete(each)
    return len(old)


def _made_before(store: Artifacts, before: date) -> Iterator[str]:
    """Those without a day too: they were made when none was named."""
    for each in store.keys(PREFIX):
        made_on = _day(each.split("/")[-2])
        if made_on is None or made_on < before:
            yield each


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _key(endpoint: str, name: str) -> str:
    return f"{PREFIX}{endpoint}/{name}"


class Tending:
    """A thread that deletes old reports; several processes may have one each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="made-reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble = Trouble("reports_not_tended")
        while not self._stopping.is_set():
            with trouble.told():
                delete_old(self._workspace)
            self._stopping.wait(TEND_EVERY_S)
