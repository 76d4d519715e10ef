"""A flow's candidate in the shadow: asked off the caller's way, compared, thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.gateway.flow_copying import likeness
from opsloop.monitoring.models import NOTHING, RequestRecord
from opsloop.releases import rollouts
from opsloop.releases.driver import Driver
from tests.integration.gateway.world import ECHO, FAILS, HANGS, OPERATOR, STREAMING_DAG, STREAMS, Live, Shop, ask

SHADOW: dict[str, Any] = {"safe_to_repeat": True, "min_pairs": 1_000_000}
SAYS = """
def answer(question: str, chat_history: list) -> dict:
    return {"answer": "TEXT", "citations": [], "abstained": ABSTAINED}
"""


def says(text: str, *, abstained: bool = False) -> str:
    return SAYS.replace("TEXT", text).replace("ABSTAINED", repr(abstained))


def begin(shop: Shop, code: str, *, dag: str | None = None, **options: Any) -> str:
    given = {} if dag is None else {"dag": dag}
    rollout = shop.release(code, strategy={"shadow": {**SHADOW, **options}}, **given)
    Driver.of(shop.workspace, rollout).tick(shop.workspace)
    return rollout


@pytest.fixture
def serve(shop: Shop) -> Iterator[Any]:
    made: list[Live] = []

    def start() -> Live:
        made.append(Live(shop.workspace))
        return made[-1]

    yield start
    for each in made:
        each.stop()


def copies(shop: Shop, live: Live) -> list[RequestRecord]:
    live.drain()
    return [record for record in shop.records() if record.shadow]


def test_a_chat_is_answered_by_stable_and_copied_to_the_candidate(shop: Shop, serve: Any, http: httpx.Client) -> None:
    shop.release(says("thirty days of leave"))
    rollout = begin(shop, says("thirty days of paid leave", abstained=True))
    live = serve()
    told = ask(http, live).json()["choices"][0]["message"]
    assert (told["content"], told["opsloop"]["arm"]) == ("thirty days of leave", "stable")
    (copy,) = copies(shop, live)
    assert copy.agreement == pytest.approx(8 / 9)
    assert (copy.arm, copy.status, copy.abstained, copy.rollout) == ("candidate", "ok", True, rollout)
    assert copy.tokens_in > 0
    assert (copy.inputs, copy.predictions) == (NOTHING, NOTHING)
    driver = Driver.of(shop.workspace, rollout)
    with shop.workspace.writing(OPERATOR) as uow:
        driver.advance(uow)
    with shop.workspace.reading(OPERATOR) as uow:
        shadow = rollouts.get(uow, rollout).rollout.evidence["shadow"]
    assert shadow["worst"] == [{"request_id": copy.original_id, "agreement": copy.agreement}]
    assert (shadow["sides"]["candidate"]["abstained"], shadow["sides"]["stable"]["abstained"]) == (1, 0)


def test_a_candidate_that_fails_or_hangs_costs_the_caller_nothing(
    shop: Shop, serve: Any, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsloop.gateway.shadowing.TIMEOUT_S", 0.05)
    shop.release(ECHO)
    begin(shop, FAILS)
    live = serve()
    assert ask(http, live).status_code == 200
    (copy,) = copies(shop, live)
    assert (copy.status, copy.http_status >= 500, copy.agreement, copy.engine) == ("error", True, None, "flow")


def test_streams_and_invocations_are_copied_too(shop: Shop, serve: Any, http: httpx.Client) -> None:
    shop.release(STREAMS, dag=STREAMING_DAG)
    begin(shop, STREAMS + "\n# another\n", dag=STREAMING_DAG)
    live = serve()
    assert ask(http, live, stream=True).text.endswith("data: [DONE]\n\n")
    assert http.post(f"{live.url}/endpoints/chat/invoke", json={"inputs": {"question": "why?"}}).status_code == 200
    assert [copy.agreement for copy in copies(shop, live)] == [1.0, 1.0]


def test_copies_end_when_their_tokens_are_used_up(shop: Shop, serve: Any, http: httpx.Client) -> None:
    shop.release(ECHO)
    rollout = begin(shop, ECHO, max_tokens=1)
    live = serve()
    ask(http, live)
    live.drain()
    with shop.workspace.writing(OPERATOR) as uow:
        Driver.of(shop.workspace, rollout).advance(uow)
    live.gateway._serving.routes.refresh()
    assert live.gateway._serving.routes.table.routes["chat"].shadow == 0.0


def test_a_flow_has_no_shadow_unless_its_owner_says_that_it_may(shop: Shop) -> None:
    shop.release(ECHO)
    with pytest.raises(InvalidInput, match="would be done twice; or safe_to_repeat: true"):
        shop.release(HANGS, strategy="shadow")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("a b", "b a.", 1.0), ("x", "y", 0.0), ("", "", 1.0), ("", "y", 0.0), ("x y", "x", 2 / 3)],
)
def test_answers_are_as_alike_as_their_words(one: str, other: str, alike: float) -> None:
    assert likeness([one], [other]) == pytest.approx(alike)
