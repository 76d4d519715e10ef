"""A process that watches a model: `rows 300` and `changed 20` on stdin are rows, what it sees goes to stdout."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from opsloop.core.events.outbox import Dispatcher
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.notices import jobs as notice_jobs
from opsloop.core.notices import service as notices
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import bundle as bundles
from opsloop.monitoring.drift.watch import Watch
from tests.integration.monitoring.iris import COLOURS, candidate

assert notice_jobs  # registers the job


@dataclass
class Loaded:
    bundle: bundles.Bundle
    digest: str


def main(folder: Path) -> None:
    # The receiver of a test need not be waited for as long as one that is away for a night.
    notices.DELAYS_S = (0,) * 8
    workspace = open_workspace(CoreSettings(data_dir=folder))
    digest, _ = bundles.keep(workspace.artifacts, candidate())
    model = Loaded(bundles.of_store(workspace.artifacts, digest), digest)
    events, jobs = Dispatcher(workspace), JobRunner(workspace)
    events.start()
    jobs.start()
    watch = Watch.of(workspace, "iris", "rel_1", model, {"false_alarms_every": 100_000}, serves="iris@3")
    rng = np.random.default_rng(os.getpid())
    say("ready")
    for line in sys.stdin:
        what, _, count = line.strip().partition(" ")
        say(str(fed(watch, rng, int(count), 6.0 if what == "changed" else 5.0)))
    watch.close()
    jobs.stop()
    events.stop()
    workspace.close()


def fed(watch: Watch, rng: np.random.Generator, count: int, length: float) -> bool:
    """One request per row; whether drift is detected after them."""
    detected = False
    for place in range(count):
        row = [rng.normal(length, 0.5), 3.0, rng.normal(4, 1), str(rng.choice(COLOURS))]
        X: Any = np.array([row], dtype=object)
        detected = watch.observe(X, ["setosa"], float(place)).detected
    return detected


def say(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
