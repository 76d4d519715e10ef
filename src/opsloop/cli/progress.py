"""A progress bar on stderr, for work that takes over a second and a person who watches."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    # What `click.progressbar` makes; the class has no public name.
    from click._termui_impl import ProgressBar

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
        self._bar: ProgressBar[int] | None = None

    def __call__(self, done: int, total: int, message: str = "") -> None:
        """So far `done` of `total`; 0 of 0 when it is not known how much there is."""
        if not self._shown or time.monotonic() - self._since < DELAY_S:
            return
        bar = self._started()
        bar.label = f"{self._what}: {message}" if message else self._what
        bar.length = total or None
        bar.pos = done
        bar.render_progress()

    def _started(self) -> ProgressBar[int]:
        if self._bar is None:
            # The time left is told by whoever knows the work better than a mean over all of it.
            self._bar = click.progressbar(length=0, label=self._what, file=sys.stderr, show_pos=True, show_eta=False)
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
            sys.stderr.write("\r\x1b[2K\x1b[?25h")  # the line is empty again, and the cursor is shown
            sys.stderr.flush()
            self._bar = None
