"""Have a PDF made of an HTML page, by a process with limits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.util import find_spec

from opsloop.console.pdf.child import MISSING, UNFIT
from opsloop.core.errors import ExtraNeeded, Failed, Unavailable

WITHIN_S = 60.0
AT_ONCE = 2
WAIT_S = 20.0
# What Python needs to start; keys and passwords are not among them.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR")
_slots = threading.BoundedSemaphore(AT_ONCE)


class PdfNotMade(Failed):
    template = "no PDF can be made of this report: {reason}; download it as HTML and print that"


class PdfBusy(Unavailable):
    template = "{count} reports are being made into PDF already; try again in a moment"


def is_possible() -> bool:
    """Whether the extra is installed."""
    return find_spec("typst") is not None and find_spec("selectolax") is not None


def pdf_of(html: bytes) -> bytes:
    """Raises: ExtraNeeded, PdfBusy, PdfNotMade."""
    if not _slots.acquire(timeout=WAIT_S):
        raise PdfBusy(count=AT_ONCE)
    try:
        done = subprocess.run(  # this Python, a module of ours
            [sys.executable, "-P", "-m", "opsloop.console.pdf.child"],
            input=html,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the words of a library may hold words of the report
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PdfNotMade(reason=f"it takes more than {WITHIN_S:g} s") from None
    finally:
        _slots.release()
    if done.returncode == MISSING:
        raise ExtraNeeded(what="making a PDF", extra="reports")
    if done.returncode == UNFIT:
        raise PdfNotMade(reason="it holds nothing to set, or more than pages can hold")
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        raise PdfNotMade(reason="it is too large, or its drawings are damaged")
    return done.stdout
