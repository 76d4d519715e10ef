"""How an objective stands, as a sentence."""

from __future__ import annotations

from opsloop.monitoring.objectives.models import Burn, Measure, Objective, State, Tally

_GOOD = {
    Measure.AVAILABILITY: "requests got an answer",
    Measure.SATISFACTION: "pieces of feedback were good",
    Measure.QUALITY: "sampled answers passed",
    Measure.PRIVACY: "sampled answers held no personal data",
    Measure.GUARDRAILS: "requests went by no guardrail",
}


def sentence(objective: Objective, whole: Tally, state: State, left: float | None, firing: Burn | None) -> str:
    """Such as `99.95 % of 2,000 requests got an answer, the target is 99.9 %; 50 % is left of the budget`."""
    days = f"{objective.window_days:g} days"
    if state is State.NO_DATA:
        return f"nothing was counted in {days}"
    if objective.measure is Measure.MEAN_LATENCY:
        mean_ms = whole.amount / whole.total
        said = f"{whole.total:,} answers took {mean_ms:,.0f} ms on average, the limit is {objective.within_ms:,} ms"
    else:
        said = f"{share(whole.good / whole.total)} of {whole.total:,} {_what(objective)}, the target is "
        said += share(objective.target)
        if left is not None:
            said += f"; {_left(left)} of the budget of {days}"
    if state is State.NOT_ENOUGH:
        return f"{said}; not enough traffic to call it broken"
    if firing is not None:
        return f"{said}; {_burns(firing)}"
    return said


def _what(objective: Objective) -> str:
    if objective.measure is Measure.LATENCY:
        return f"answers came within {objective.within_ms:,} ms"
    return _GOOD[objective.measure]


def _left(left: float) -> str:
    return f"{share(left)} is left" if left >= 0 else f"{share(-left)} too much is used"


def _burns(burn: Burn) -> str:
    if burn.long_rate is None:
        return f"it is still broken within the last {span(burn.short_s)}"
    return (
        f"it burns {burn.long_rate:.3g} times as fast as allowed over {span(burn.long_s)} "
        f"and {burn.short_rate:.3g} times over {span(burn.short_s)}"
    )


def span(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def share(value: float) -> str:
    """A share as a percentage that does not round to 100 what is not."""
    percent = 100 * value
    if percent >= 1_000:
        return f"{percent:,.0f} %"
    text = f"{percent:.4g}"
    if text == "100" and value < 1:
        text = f"{percent:.7g}"
    return f"{text} %"
