"""A machine that runs a pipeline's lines: bash, git, this checkout's `opsloop`, no settings of this process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.warm import command as warm

TIMEOUT_S = 240
PYTHON = """\
#!/bin/sh
case "$*" in
  "-m pip install opsloop"*) exit 0 ;;
  "-m opsloop.training "*) exec {python} "$@" ;;
  *) echo "python $* is not what the recipes run" >&2; exit 64 ;;
esac
"""


class Machine:
    """
    Args:
        folder: where jobs have their folders.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        (programs / "python").write_text(PYTHON.replace("{python}", sys.executable))
        (programs / "python").chmod(0o755)
        (programs / "opsloop").symlink_to(warm.folder() / "opsloop")
        self._path = f"{programs}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin"

    def bash(self, lines: str, work: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Lines as GitHub and Azure run them."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", lines],
            cwd=work,
            env={"PATH": self._path, "HOME": str(self.folder), "LANG": "C.UTF-8", **env},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
