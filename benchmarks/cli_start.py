"""How long `opsloop --help` takes, beside bare Python and `mlflow --help`, in turn in the same run.

Run: python benchmarks/cli_start.py [--rounds 15]
Goal: the median of `opsloop --help` is at most 0.25 s on a machine on which bare Python takes 0.02 s; where bare Python
takes longer, because the machine is slower or busy, the limit grows in proportion.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from _peers import MLFLOW, environment, peer

GOAL_S = 0.25
BARE_S = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="times each command is started")
    rounds = parser.parse_args().rounds
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "opsloop --help": [str(Path(sys.executable).with_name("opsloop")), "--help"],
        "mlflow --help": [str(peer(MLFLOW) / "bin" / "mlflow"), "--help"],
    }
    times = measure(commands, rounds)
    for name, seconds in times.items():
        print(f"{name:15} median {median(seconds):.3f} s   min {min(seconds):.3f}   max {max(seconds):.3f}")
    bare, ours, theirs = (median(seconds) for seconds in times.values())
    limit_s = GOAL_S * max(1.0, bare / BARE_S)
    met = ours <= limit_s
    print(
        f"cli_start: opsloop --help {ours:.3f} s, bare Python {bare:.3f} s, mlflow --help {theirs:.3f} s "
        f"({theirs / ours:.0f} times ours); goal <= {limit_s:.2f} s: {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Wall times in s of each command; they take turns, so that a busy moment meets all of them. One round warms up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
            if number > 0:
                times[name].append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    sys.exit(main())
