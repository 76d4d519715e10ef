"""What says of each release in use when a second call to a model is made."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from opsloop.core.clock import Clock
from opsloop.llm.hedging import Hedger
from opsloop.llm.live import Extra, Live
from opsloop.monitoring import metrics
from opsloop.releases import hedge_policy
from opsloop.releases.routing import Arm

_KEPT = 64


class Hedgers:
    """Of one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: OrderedDict[str, Hedger] = OrderedDict()

    def live(self, endpoint: str, arm: Arm, *, is_streamed: bool) -> Live:
        """What holds for model calls of a request to an arm; a stream is never asked for twice."""
        told = partial(_tell, endpoint)
        if is_streamed or hedge_policy.KEY not in arm.config:
            return Live(told)
        return Live(told, self._of(arm))

    def _of(self, arm: Arm) -> Hedger | None:
        found = self._found.get(arm.release)
        if found is None:
            policy = hedge_policy.of_config(arm.config)
            if policy is None:
                return None
            found = self._found[arm.release] = Hedger(policy, self._clock)
            if len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found


def _tell(endpoint: str, kind: Extra) -> None:
    metrics.extra_model_calls.labels(endpoint, kind).inc()
