"""What is kept of a diagnosis, and what the past adds to it."""

from __future__ import annotations

from dataclasses import replace

from opsloop.incidents import text as texts
from opsloop.incidents.diagnosis import systems
from opsloop.incidents.diagnosis.history.models import Remembered, Told
from opsloop.incidents.diagnosis.models import Diagnosis, Verdict
from opsloop.incidents.diagnosis.redaction import leaving
from opsloop.incidents.logs.fingerprint import fingerprint

# Lines that say what failed; those after them are often other forms of the same or noise.
REGION = 10
NAME_CHARS, CAUSE_CHARS = 300, 1_000


def told(found: Diagnosis, *, job: str = "", commit: str = "", incident: str | None = None) -> Told:
    """A diagnosis as it may be kept and sent on."""
    ends = systems.known()[found.provider].failed
    # That a step ended with an exit code, every failure prints.
    lines = [each.text for each in found.evidence[:REGION] if ends is None or not ends.search(each.text)]
    return Told(
        has_failed=found.verdict is not Verdict.NOT_A_FAILURE,
        job=texts.kept(job, NAME_CHARS),
        step=texts.kept(leaving(found.step or ""), NAME_CHARS),
        commit=texts.kept(commit, NAME_CHARS),
        region=tuple(dict.fromkeys(map(fingerprint, lines))),
        signature=found.signature or "",
        category=found.category,
        root_cause=texts.kept(leaving(found.root_cause), CAUSE_CHARS),
        incident=incident,
    )


def with_past(found: Diagnosis, past: Remembered) -> Diagnosis:
    """The diagnosis with what is remembered; a step that passes and fails in turn is flaky."""
    is_flaky = found.flaky or (past.flaky_because is not None and found.verdict is not Verdict.NOT_A_FAILURE)
    return replace(found, similar=past.similar, flaky=is_flaky, flaky_because=past.flaky_because)
