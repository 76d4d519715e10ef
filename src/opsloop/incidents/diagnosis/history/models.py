"""The nouns of past diagnoses."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.incidents.diagnosis.models import Past


@dataclass(frozen=True, slots=True)
class Told:
    """A run whose log was diagnosed, without its log.

    Args:
        has_failed: False for a run that passed.
        job: what ran, such as `shop/test.yml`; empty when it is not known, as the next two.
        step: that failed.
        commit: it ran on.
        region: fingerprints of the most telling lines, at most ten.
        signature: of the known cause; empty without one.
        root_cause: without secrets and personal data.
    """

    has_failed: bool
    job: str
    step: str
    commit: str
    region: tuple[str, ...]
    signature: str
    category: str
    root_cause: str
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the past says of a failure.

    Args:
        similar: the likest first, at most five.
        flaky_because: figures that show that the step passes and fails in turn; None when nothing shows it.
    """

    similar: tuple[Past, ...] = ()
    flaky_because: str | None = None
