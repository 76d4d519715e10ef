"""Run in river's own environment by `_drift_rules.py`: rows at which ADWIN and Page-Hinkley alarm, as JSON.

Arguments: an npz file of streams; "all", or the row after which the first alarm is enough; then deltas of ADWIN, a
comma-separated list, and thresholds of Page-Hinkley. Both are restarted by each alarm, as river does it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from river.drift import ADWIN, PageHinkley


def alarms(make: Callable[[], Any], stream: Any, enough: int | None) -> list[int]:
    """The rows (from 1) at which a detector on any column alarms."""
    found = []
    detectors = [make() for _ in range(stream.shape[1])]
    for number, row in enumerate(stream.tolist(), start=1):
        is_over = False
        for detector, value in zip(detectors, row, strict=True):
            detector.update(value)
            is_over = is_over or detector.drift_detected
        if is_over:
            found.append(number)
            if enough is not None and number > enough:
                break
            detectors = [make() for _ in range(stream.shape[1])]
    return found


def main() -> None:
    path, until, deltas, thresholds = sys.argv[1:]
    enough = None if until == "all" else int(until)
    tried = [[float(each) for each in listed.split(",") if each] for listed in (deltas, thresholds)]
    streams = np.load(path)
    found = []
    for name in streams.files:
        stream = streams[name]
        adwin = [alarms(partial(ADWIN, delta=delta), stream, enough) for delta in tried[0]]
        page = [alarms(partial(PageHinkley, threshold=limit), stream, enough) for limit in tried[1]]
        found.append({"adwin": adwin, "page_hinkley": page})
    json.dump(found, sys.stdout)


main()
