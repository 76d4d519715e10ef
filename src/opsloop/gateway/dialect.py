"""How a route of the data plane speaks: how a flow is asked, and how its answer is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opsloop.core.errors import OpsloopError
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult
from opsloop.gateway.tokens import Usage
from opsloop.guardrails.support.models import Said, Ticket
from opsloop.releases.routing import Arm

MAX_ENGINE = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """What an arm gave and what it used; `ticket` where a person is to answer."""

    arm: Arm
    flow: LoadedFlow
    result: FlowResult
    usage: Usage
    ticket: Ticket | None = None
    is_cached: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What its record keeps, by the names of a flow's outputs: `abstained` and `engine`."""
        abstained, engine = self.result.outputs.get("abstained"), self.result.outputs.get("engine")
        return {
            "abstained": abstained if isinstance(abstained, bool) else None,
            "engine": engine if _is_word(engine) else "flow",
            "tokens_in": 0 if self.is_cached else self.usage.prompt,
            "tokens_out": 0 if self.is_cached else self.usage.completion,
            "cached": self.is_cached,
        }


def _is_word(engine: object) -> bool:
    return isinstance(engine, str) and 0 < len(engine) <= MAX_ENGINE and engine.isprintable()


class Dialect(Protocol):
    """One per request. Writing may raise what a JSON encoder raises: a flow can give anything."""

    def inputs(self, flow: LoadedFlow) -> dict[str, Any]:
        """Raises: InvalidInput."""
        ...

    def conversation(self) -> Sequence[Said]:
        """What was said so far, for a person who is to answer."""
        ...

    def usage(self, flow: LoadedFlow, result: FlowResult) -> Usage: ...

    def body(self, answer: Answer) -> bytes:
        """The whole answer."""
        ...

    def opening(self, arm: Arm) -> bytes:
        """The start of a stream."""
        ...

    def piece(self, text: str) -> bytes: ...

    def closing(self, answer: Answer) -> bytes:
        """The end of a stream."""
        ...

    def broken(self, error: OpsloopError) -> bytes:
        """The end of a stream that cannot go on."""
        ...
