"""A progress bar on stderr, for work that takes over a second and a person who watches."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

DELAY_S = 1.0


class Progress:
    """`with Progress("evaluating") as progress: progress(3, 10)`. Silent when stderr is not a terminal.

    Args:
        what: what is going on, in a word or two.
        shown: False for no bar at all.
    """

    def __init__(self, what: str, *, shown: bool = True) -> None:
        self._what = what
        self._shown = shown and sys.stderr.isatty()
        self._since = time.monotonic()
        self._bar: Bar | None = None

    def __call__(self, done: int, total: int, message: str = "") -> None:
        """So far `done` of `total`; 0 of 0 when it is not known how much there is."""
        if not self._shown or time.monotonic() - self._since < DELAY_S:
            return
        bar = self._started()
        what = f"{self._what}: {message}" if message else self._what
        bar.update(bar.tasks[0].id, description=what, completed=done, total=total or None)

    def _started(self) -> Bar:
        if self._bar is None:
            from rich.console import Console  # 0.1 s that only a person at a terminal pays
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(self._what, total=None)
            self._bar.start()
        return self._bar

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away, so that what is said next stands by itself."""
        if self._bar is not None:
            self._bar.stop()
