"""Guardrails on the way through the gateway: of one request to one arm.

What a screen that must hold something back cannot look through is not let through: it fails closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from opsloop.guardrails.errors import AnswerBlocked, GuardrailFailed, RequestBlocked
from opsloop.guardrails.models import Action, Hit
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screening import ScreenBroken, Tally, screened_value, size_of, watch
from opsloop.guardrails.streaming import StreamRedactor
from opsloop.monitoring import metrics
from opsloop.releases import guarding
from opsloop.releases.routing import Arm, Route

# Longer texts are looked through beside the event loop: about 10 ms of work.
AT_ONCE_CHARS = 16_000
T = TypeVar("T")


class ToPerson(Exception):
    """A policy wants a person to answer; `kinds` are those that were found."""

    def __init__(self, kinds: list[str]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


def guard_of(route: Route, arm: Arm) -> Guard | None:
    """What guards an arm's requests and answers; None where nothing is looked for."""
    policy = route.guardrails
    if guarding.KEY in arm.config:
        policy = guarding.of_release(policy, arm.config)
    if not policy.requests and not policy.answers:
        return None
    return Guard(route.endpoint, policy)


class Guard:
    """Use it for one attempt. `hits` is what it has found so far."""

    __slots__ = ("_answers", "_endpoint", "_requests", "_stream", "policy")

    def __init__(self, endpoint: str, policy: Policy) -> None:
        self._endpoint = endpoint
        self.policy = policy
        self._requests = Tally("request")
        self._answers = Tally("answer")
        self._stream: StreamRedactor | None = None

    @property
    def hits(self) -> tuple[Hit, ...]:
        return (*self._requests.hits, *self._answers.hits)

    async def request(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs as the flow may have them. Raises: RequestBlocked, ToPerson, GuardrailFailed."""
        found: dict[str, Any] = await self._screened(inputs, self._requests)
        if blocked := self._requests.kinds(Action.BLOCK):
            raise RequestBlocked(endpoint=self._endpoint, kinds=", ".join(blocked))
        if escalated := self._requests.kinds(Action.ESCALATE):
            raise ToPerson(escalated)
        return found

    async def answer(self, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs as the caller may have them. Raises: AnswerBlocked, ToPerson, GuardrailFailed."""
        # A stream counted its pieces; the outputs hold them all.
        self._answers = Tally("answer")
        found: Mapping[str, Any] = await self._screened(outputs, self._answers)
        self._check_answer()
        return found

    def feed(self, piece: str) -> str:
        """What of a stream may go out. Raises: GuardrailFailed."""
        if self._stream is None:
            self._stream = StreamRedactor(self.policy, self._answers)
        stream = self._stream
        return self._trying(lambda: stream.feed(piece), self._answers)

    def finish(self) -> str:
        """What was held at the end of a stream. Raises: GuardrailFailed."""
        return self._trying(self._stream.finish, self._answers) if self._stream is not None else ""

    def check_stream(self) -> None:
        """Raises: AnswerBlocked, ToPerson, when the stream may not go on."""
        if self._stream is not None and self._stream.is_stopped:
            self._check_answer()

    def _check_answer(self) -> None:
        if blocked := self._answers.kinds(Action.BLOCK):
            raise AnswerBlocked(endpoint=self._endpoint, kinds=", ".join(blocked))
        if escalated := self._answers.kinds(Action.ESCALATE):
            raise ToPerson(escalated)

    async def _screened(self, value: Any, tally: Tally) -> Any:
        if not watch(self.policy, tally.direction).actions:
            return value

        def look() -> Any:
            return screened_value(value, self.policy, tally)

        if size_of(value) <= AT_ONCE_CHARS:
            return self._trying(look, tally)
        return await run_in_threadpool(self._trying, look, tally)

    def _trying(self, look: Callable[[], T], tally: Tally) -> T:
        try:
            return look()
        except ScreenBroken as broken:
            tally.failed.add(broken.screen)
            raise GuardrailFailed(endpoint=self._endpoint) from None
        finally:
            for screen in tally.failed:
                metrics.guardrail_failures.labels(self._endpoint, screen).inc()
            tally.failed.clear()
