"""The folder with the stand-in called `opsloop`, behind which a server runs for as long as these tests do."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 180.0


@cache
def folder() -> Path:
    """To be found first on a PATH. Where the system cannot wait for a process by a file, it holds the real command."""
    real = Path(sys.executable).parent
    if not hasattr(os, "pidfd_open"):
        return real
    made = Path(tempfile.mkdtemp(prefix="opsloop-warm-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.server", str(made / "socket")],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")},
        stdin=subprocess.PIPE,  # closes with this process
    )
    atexit.register(server.wait)
    assert server.stdin is not None
    atexit.register(server.stdin.close)
    pause = threading.Event()
    for _ in range(int(STARTS_WITHIN_S / 0.05)):
        if (made / "socket").exists():
            break
        assert server.poll() is None, "the server of warm commands ended"
        pause.wait(0.05)
    script = made / "opsloop"
    script.write_text(f"#!{sys.executable} -IS\n" + (ROOT / "tests/warm/client.py").read_text())
    script.chmod(0o755)
    return made
