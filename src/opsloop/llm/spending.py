"""What a call to a model may cost, held back before it is sent and settled by what it used.

Whoever runs a piece of work puts a purse into its context; every paid call of it takes from that purse. Without one
nothing is held; a tab (`tabs`) in the context is told what was used either way. Held is the most that a call can cost:
no text has more tokens than bytes of UTF-8 (byte-level byte-pair encoding: R. Sennrich, B. Haddow, A. Birch, ACL 2016),
and an answer no more than `max_tokens`, or than its model can write.

A call that its server did not take is given back whole. Of one that was cut off nobody knows what its server counts:
what was held for it stays spent, of a stream the prompt and what had come.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from opsloop.core.errors import InvalidInput
from opsloop.llm import settings
from opsloop.llm.errors import ModelRefused, ModelUnavailable
from opsloop.llm.port import Usage
from opsloop.llm.prices import cost_usd, most_output_tokens
from opsloop.llm.tabs import Tab, current_tab
from opsloop.llm.token_estimates import BYTES_PER_TOKEN, estimate

IMAGE_MOST_TOKENS = 50_000
"""Of one image in the finest resolution of the model that counts most for it (gpt-4o-mini: 2,833 + 8 x 5,667)."""
USUAL_OUTPUT_TOKENS = 1_000
"""What is held of tokens per minute for an answer without `max_tokens`."""
_NOT_TAKEN = (ModelUnavailable, ModelRefused, InvalidInput)


class Held(Protocol):
    """What a purse holds back for one call."""

    def settle(self, tokens: int, usd: float) -> None:
        """The call used this; the rest goes back."""
        ...

    def give_back(self) -> None: ...


class Purse(Protocol):
    """Args of both: `tokens` as estimated, `usd` the most it can cost, None when the model has no price.

    Raises: what says that the call may not be made.
    """

    async def hold(self, model: str, tokens: int, usd: float | None) -> Held: ...

    def hold_now(self, model: str, tokens: int, usd: float | None) -> Held:
        """The same, for code without an event loop."""
        ...


current_purse: ContextVar[Purse | None] = ContextVar("current_purse", default=None)


@dataclass(frozen=True, slots=True)
class Most:
    """The most a call can use: `prompt` and `output` in tokens; `likely` is an estimate of the sum."""

    model: str
    prompt: int
    output: int
    likely: int

    @property
    def usd(self) -> float | None:
        return _cost(self.model, Usage(self.prompt, self.output))


class Bill:
    """Of one call that is under way."""

    def __init__(self, held: Held | None, most: Most, tab: Tab | None = None) -> None:
        self._held = held
        self._most = most
        self._tab = tab
        self._pieces_bytes = 0
        self._is_settled = False
        self._is_streamed = False

    @property
    def is_counted(self) -> bool:
        """Whether anybody wants to know what the call used."""
        return self._held is not None or self._tab is not None

    def came(self, piece: str) -> None:
        """A piece of a streamed answer."""
        self._is_streamed = True
        self._pieces_bytes += len(piece.encode("utf-8", "replace"))

    def settle(self, model: str, usage: Usage | None) -> None:
        """Args: model: as the server names it."""
        if not self.is_counted or usage is None:
            return
        cost = _cost(model, usage)
        if cost is None:
            cost = _cost(self._most.model, usage)
        self._told(usage, cost, self._most.usd or 0.0 if cost is None else cost)

    def give_back(self) -> None:
        """The server did not take the call."""
        if self.is_counted and not self._is_settled:
            self._is_settled = True
            if self._held is not None:
                self._held.give_back()

    def ended(self, error: BaseException | None) -> None:
        if not self.is_counted or self._is_settled:
            return
        if self._is_streamed:
            written = -(-self._pieces_bytes // BYTES_PER_TOKEN)
            self.settle(self._most.model, Usage(self._most.prompt // BYTES_PER_TOKEN + 1, written, estimated=True))
        elif isinstance(error, _NOT_TAKEN):
            self.give_back()
        else:
            usd = self._most.usd
            self._told(Usage(self._most.likely, 0, estimated=True), usd, usd or 0.0)

    def _told(self, usage: Usage, usd: float | None, charged_usd: float) -> None:
        if self._held is not None:
            self._held.settle(usage.total_tokens, charged_usd)
        if self._tab is not None and not self._is_settled:
            self._tab.note(self._most.model, usage.prompt_tokens, usage.completion_tokens, usd)
        self._is_settled = True


async def begun(most: Most | None) -> Bill:
    """Hold back what a call can use; whoever asks for it ends the bill. Args: most: None without a purse or a tab."""
    purse, tab = current_purse.get(), current_tab.get()
    if most is None or (purse is None and tab is None):
        return _UNBILLED
    return Bill(None if purse is None else await purse.hold(most.model, most.likely, most.usd), most, tab)


def begun_now(most: Most | None) -> Bill:
    """As `begun`, for code without an event loop."""
    purse, tab = current_purse.get(), current_tab.get()
    if most is None or (purse is None and tab is None):
        return _UNBILLED
    return Bill(None if purse is None else purse.hold_now(most.model, most.likely, most.usd), most, tab)


@asynccontextmanager
async def billed(most: Most | None) -> AsyncIterator[Bill]:
    """Hold back what a call can use while it is made. Args: most: None where nobody counts."""
    bill = await begun(most)
    with _ending(bill):
        yield bill


@contextmanager
def billed_now(most: Most | None) -> Iterator[Bill]:
    """As `billed`, for code without an event loop."""
    bill = begun_now(most)
    with _ending(bill):
        yield bill


@contextmanager
def _ending(bill: Bill) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        bill.ended(error)
        raise
    else:
        bill.ended(None)


def most_of(model: str, content: object, parameters: Mapping[str, Any]) -> Most | None:
    """The most that a call with these messages, prompt or texts can use; None without a purse or a tab.

    Args:
        parameters: of the call, by OpenAI's names.
    """
    if current_purse.get() is None and current_tab.get() is None:
        return None
    limits = (parameters.get(name) for name in ("max_completion_tokens", "max_output_tokens", "max_tokens"))
    asked = next((each for each in limits if isinstance(each, int) and each > 0), None)
    times = max(_number(parameters.get("n")), _number(parameters.get("best_of")))
    text = {key: value for key, value in parameters.items() if key in ("tools", "functions", "response_format")}
    size = _size_bytes(content) + (len(json.dumps(text, default=str)) if text else 0)
    likely = -(-size // BYTES_PER_TOKEN) + (_number(asked) if asked else USUAL_OUTPUT_TOKENS) * times
    return Most(model, size, (_number(asked) if asked else _most_output(model)) * times, likely)


def most_of_texts(model: str, texts: Sequence[str]) -> Most | None:
    """The most that embedding these texts can use; None without a purse or a tab."""
    if current_purse.get() is None and current_tab.get() is None:
        return None
    return Most(model, _size_bytes(list(texts)), 0, sum(map(estimate, texts)))


def _size_bytes(content: object) -> int:
    """Bytes of what is read as text, and what images can come to at most."""
    if isinstance(content, str):
        return len(content) if content.isascii() else len(content.encode("utf-8", "replace"))
    # By `dict` and `list` before the abstract kinds: a conversation is made of these, and asked for each call.
    if isinstance(content, dict) or isinstance(content, Mapping):  # noqa: SIM101
        if "image" in str(content.get("type")):
            return IMAGE_MOST_TOKENS
        return sum([_size_bytes(str(key)) + _size_bytes(value) + 8 for key, value in content.items()])
    if isinstance(content, list) or isinstance(content, Sequence):  # noqa: SIM101
        return sum([_size_bytes(each) + 8 for each in content])
    return len(str(content))


def _number(value: object) -> int:
    return max(1, value) if isinstance(value, int) else 1


def _most_output(model: str) -> int:
    return most_output_tokens(model, settings.here().llm_prices)


def _cost(model: str, usage: Usage) -> float | None:
    return cost_usd(model, usage, settings.here().llm_prices)


_UNBILLED = Bill(None, Most("", 0, 0, 0))
