"""What is kept of questions and answers where an endpoint asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from opsloop.monitoring.texts import service as texts
from opsloop.monitoring.texts.models import KeptTexts
from opsloop.releases import kept_texts, text_keeping
from tests.integration.gateway.world import ECHO, OPERATOR, STREAMING_DAG, STREAMS, Live, Shop

Start = Callable[[], Live]


def declare(shop: Shop, wanted: Any) -> None:
    with shop.workspace.writing(OPERATOR) as uow:
        text_keeping.declare(uow, "chat", kept_texts.parse(wanted))


def kept(shop: Shop) -> list[KeptTexts]:
    with shop.workspace.reading(OPERATOR) as uow:
        return texts.newest(uow)


def ask(http: httpx.Client, running: Live, question: str, **more: Any) -> None:
    body = {"inputs": {"question": question, **more}}
    assert http.post(f"{running.url}/endpoints/chat/invoke", json=body).status_code == 200


def test_nothing_is_kept_unless_the_endpoint_asks_for_it(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    running = live()
    ask(http, running, "why?")
    running.drain()
    assert kept(shop) == []


def test_texts_are_kept_without_personal_data_and_never_written_with_it(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(ECHO)
    declare(shop, {"days": 2})
    running = live()
    before = {"inputs": {"question": "a"}, "outputs": {"answer": "b"}}
    ask(http, running, "am I ana.lima@example.com?", chat_history=[before])
    running.drain()
    (found,) = kept(shop)
    assert found.question == "am I [EMAIL]?"
    assert found.answer == "flow-1 says am I [EMAIL]? after ['a/b']"
    assert (found.endpoint, found.arm, found.earlier_turns) == ("chat", "stable", 1)
    assert (found.expires_at - found.at).days == 2
    data = shop.workspace.data_dir
    holders = [file for file in data.rglob("*") if file.is_file() and b"ana.lima" in file.read_bytes()]
    assert holders == []


def test_a_long_text_is_cut_and_a_stream_is_kept_whole(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(STREAMS, dag=STREAMING_DAG)
    declare(shop, True)
    running = live()
    body = {"model": "chat", "messages": [{"role": "user", "content": "x" * 17_000}], "stream": True}
    assert http.post(f"{running.url}/v1/chat/completions", json=body).status_code == 200
    running.drain()
    (found,) = kept(shop)
    assert (len(found.question), found.answer) == (16_000, "one two three")


def test_a_share_of_requests_is_kept(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    declare(shop, {"share": 0.5, "redact": False})
    running = live()
    for number in range(40):
        url = f"{running.url}/endpoints/chat/invoke"
        http.post(url, json={"inputs": {"question": "a@example.com"}}, headers={"x-request-id": f"r{number}"})
    running.drain()
    found = kept(shop)
    assert 8 <= len(found) <= 32
    assert {each.question for each in found} == {"a@example.com"}


def test_switching_it_off_lets_go_of_what_was_kept(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    declare(shop, True)
    running = live()
    ask(http, running, "why?")
    running.drain()
    assert len(kept(shop)) == 1
    declare(shop, False)
    assert kept(shop) == []
