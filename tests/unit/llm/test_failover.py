"""When one model server cannot answer, the next is asked; what is wrong with the call itself stays where it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.settings import CoreSettings
from opsloop.llm import providers
from opsloop.llm import settings as model_settings
from opsloop.llm.breaker import FAILURES, Breaker
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.failover import Failover, Server
from opsloop.llm.fallbacks import fallbacks
from opsloop.llm.port import Completion, Embedding, Message
from opsloop.llm.settings import ModelSettings

HELLO = [{"role": "user", "content": "hello"}]
AWAY = ModelUnavailable(base_url="http://a", what="cannot be reached")
GARBLED = ModelGarbled(base_url="http://a", reason="no JSON")


def refused(status: int) -> ModelRefused:
    return ModelRefused(base_url="http://a", status=status, reason="no")


class Scripted:
    """A provider that fails as it is told, at the first piece or after one, and else says its name."""

    engine = "scripted"
    server = None

    def __init__(self, name: str, error: Exception | None = None, *, late: bool = False, sleeps: bool = False) -> None:
        self.model = name
        self.error, self.late, self.sleeps = error, late, sleeps
        self.asked: list[dict[str, Any]] = []

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        self.asked.append(parameters)
        if self.sleeps:
            await asyncio.sleep(60)
        if self.error is not None:
            raise self.error
        return Completion(self.model, self.model)

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self.chat([], **parameters)

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        self.asked.append(parameters)
        if self.error is not None:
            raise self.error
        return Embedding([[1.0]], self.model)

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        self.asked.append(parameters)
        if self.sleeps:
            await asyncio.sleep(60)
        if self.late:
            yield "begun "
        if self.error is not None:
            raise self.error
        yield self.model
        yield Completion(self.model, self.model)


def over(*providers: Scripted, limit_s: float = 5.0, models: Sequence[str | None] = ()) -> Failover:
    clock = FakeClock()
    names = [*models, *[None] * (len(providers) - len(models))]
    servers = [Server(each.model, each, Breaker(clock), name) for each, name in zip(providers, names, strict=True)]
    return Failover(servers, begins_within_s=limit_s)


def chat(provider: Failover, **parameters: Any) -> str:
    return asyncio.run(provider.chat(HELLO, **parameters)).text


def stream(provider: Failover) -> list[str]:
    async def pieces() -> list[str]:
        return [each if isinstance(each, str) else each.text async for each in provider.stream(HELLO)]

    return asyncio.run(pieces())


@pytest.mark.parametrize("error", [AWAY, GARBLED, refused(401), refused(404), refused(429)])
def test_the_next_server_answers(error: Exception) -> None:
    first, second = Scripted("a", error), Scripted("b")
    assert chat(over(first, second)) == "b"
    assert stream(over(first, second)) == ["b", "b"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_call_that_is_wrong_is_told_so_by_the_first(status: int) -> None:
    second = Scripted("b")
    provider = over(Scripted("a", refused(status)), second)
    for _ in range(2 * FAILURES):
        with pytest.raises(ModelRefused):
            chat(provider)
    assert second.asked == []


def test_an_error_that_is_no_servers_is_raised() -> None:
    with pytest.raises(InvalidInput):
        chat(over(Scripted("a", InvalidInput("wrong", field="x")), Scripted("b")))


def test_when_all_are_away_the_last_says_so() -> None:
    with pytest.raises(ModelUnavailable):
        chat(over(Scripted("a", AWAY), Scripted("b", AWAY)))


def test_a_server_that_does_not_begin_is_left_and_the_last_has_all_the_time() -> None:
    provider = over(Scripted("a", sleeps=True), Scripted("b"), limit_s=0.01)
    assert chat(provider) == "b"
    assert stream(provider) == ["b", "b"]


def test_a_stream_that_has_begun_breaks_off() -> None:
    second = Scripted("b")
    with pytest.raises(ModelUnavailable):
        stream(over(Scripted("a", AWAY, late=True), second))
    assert second.asked == []


def test_a_server_that_keeps_failing_is_not_asked_any_more() -> None:
    first, second = Scripted("a", AWAY), Scripted("b")
    provider = over(first, second)
    assert [chat(provider) for _ in range(3 * FAILURES)] == ["b"] * 3 * FAILURES
    assert len(first.asked) == FAILURES


def test_the_first_is_asked_when_all_rest() -> None:
    provider = over(Scripted("a", AWAY), Scripted("b", AWAY))
    for _ in range(FAILURES):
        with pytest.raises(ModelUnavailable):
            chat(provider)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        chat(provider)


def test_another_server_has_names_of_its_own_for_models() -> None:
    first, second = Scripted("a", AWAY), Scripted("b")
    chat(over(first, second, models=(None, "mine")), model="gpt", temperature=0)
    assert first.asked == [{"model": "gpt", "temperature": 0}]
    assert second.asked == [{"model": "mine", "temperature": 0}]


def test_vectors_are_the_first_servers_alone() -> None:
    second = Scripted("b")
    with pytest.raises(ModelUnavailable):
        asyncio.run(over(Scripted("a", AWAY), second).embed(["x"]))
    assert second.asked == []


def test_the_settings_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    named = '[{"base_url": "http://b.test/v1", "model": "small"}, "offline"]'
    monkeypatch.setattr(model_settings, "here", lambda: ModelSettings(llm_fallbacks=named))
    provider = providers.chat_provider(CoreSettings(llm_base_url="http://127.0.0.1:9/v1"))
    assert repr(provider) == "Failover(http://127.0.0.1:9/v1, http://b.test/v1, offline)"


def test_away_from_every_server_the_offline_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_settings, "here", lambda: ModelSettings(llm_fallbacks='["offline"]'))
    provider = providers.chat_provider(CoreSettings(llm_base_url="http://127.0.0.1:9/v1", llm_model="gpt"))
    answer = asyncio.run(provider.chat([{"role": "user", "content": "The desk opens at nine.\n\nWhen does it open?"}]))
    assert answer.model == "opsloop-offline-extractive"


@pytest.mark.parametrize("text", ["{", "[1]", '[{"model": "x"}]', '[{"base_url": "x", "key": "sk-1"}]', '["online"]'])
def test_a_setting_of_another_form_is_told_without_what_it_holds(text: str) -> None:
    with pytest.raises(InvalidInput, match="OPSLOOP_LLM_FALLBACKS") as told:
        fallbacks(text)
    assert "sk-1" not in str(told.value)
