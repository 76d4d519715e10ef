"""Run every benchmark one after another and print the line each ends with: `python benchmarks`.

A benchmark is a file here whose name does not begin with `_`. It prints one summary line last and exits with something
else than 0 when it missed its goal.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    files = sorted(file for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("_"))
    missed = [file.stem for file in files if not _run(file)]
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _run(file: Path) -> bool:
    print(f"running {file.name}", file=sys.stderr, flush=True)
    result = subprocess.run([sys.executable, file], stdout=subprocess.PIPE, text=True, check=False)
    lines = result.stdout.strip().splitlines() or [f"{file.stem}: printed nothing"]
    print(lines[-1], flush=True)
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
