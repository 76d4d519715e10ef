"""Jobs and steps of a GitHub workflow, and the one that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def jobs_of(document: Any) -> dict[str, Any]:
    jobs = document.get("jobs")
    return {key: each for key, each in jobs.items() if isinstance(each, dict)} if isinstance(jobs, dict) else {}


def steps_of(job: Any) -> list[Any]:
    steps = job.get("steps")
    return steps if isinstance(steps, list) else []


def failing_jobs(document: Any, step_name: str | None) -> Iterator[Any]:
    """The job that has the step of that name; the only job when there is one. Otherwise none: a guess mends nothing."""
    jobs = list(jobs_of(document).values())
    named = [each for each in jobs if any(is_step(one, step_name) for one in steps_of(each))]
    if len(named) == 1:
        yield named[0]
    elif len(jobs) == 1:
        yield jobs[0]


def is_step(step: Any, name: str | None) -> bool:
    """Whether a step is the one that a log names: `Run npm test`, `Run actions/checkout@v4`, or its own name."""
    if not isinstance(step, dict) or not name:
        return False
    said = name.removeprefix("Run ").strip()
    first = str(step.get("run", "")).strip().splitlines()[:1]
    return said in {
        str(step.get("name", "")).strip(),
        str(step.get("uses", "")).strip(),
        *(each.strip() for each in first),
    }
