"""What diagnoses take of models in a day is counted before a call is made; when it is used up the rules answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.incidents.diagnosis.engine import examine
from opsloop.incidents.diagnosis.generating import asking, day
from opsloop.incidents.diagnosis.generating._tables import DiagnosisDayRow
from opsloop.incidents.diagnosis.generating.budget import DayIsSpent
from opsloop.incidents.diagnosis.generating.day import StoredDay
from opsloop.incidents.diagnosis.models import Diagnosis
from opsloop.incidents.diagnosis.settings import DiagnosisSettings
from opsloop.llm import tabs
from tests.integration.incidents.lying import LyingServer, lying
from tests.integration.incidents.test_worded_diagnoses import GOOD, LOG

MARIA = Caller("key:maria", Role.OPERATOR)
MOST = 16_000  # of one call


@pytest.fixture
def server() -> Iterator[LyingServer]:
    with lying() as opened:
        says(opened, prompt=1_200, completion=300)
        yield opened


def says(server: LyingServer, *, prompt: int, completion: int) -> None:
    server.says(GOOD)
    body = json.loads(server.body)
    body["usage"] = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    server.body = json.dumps(body).encode()


def taken(workspace: Workspace) -> dict[str, int]:
    with workspace.reading(MARIA) as uow:
        return {each.day: each.taken for each in uow.session.scalars(select(DiagnosisDayRow))}


async def worded(workspace: Workspace, server: LyingServer, most: int, **settings: Any) -> Diagnosis:
    ours = DiagnosisSettings(**settings)
    provider = asking.provider_of(CoreSettings(llm_base_url=server.base_url, llm_model="liar"), ours)
    assert provider is not None
    return await asking.worded(examine([LOG.encode()]), provider, ours, day=StoredDay(workspace, most))


def test_a_call_takes_what_it_used_and_gives_the_rest_back(workspace: Workspace, server: LyingServer) -> None:
    tab = tabs.Tab()
    with tabs.opened(tab):
        found = asyncio.run(worded(workspace, server, 100_000))
    assert found.engine == "rules+liar"
    assert taken(workspace) == {"2027-01-01": 1_500}
    assert [(each.tokens_in, each.tokens_out) for each in tab.take()] == [(1_200, 300)]  # who counts outside does too


def test_when_the_day_is_used_up_the_rules_answer_and_say_so(
    workspace: Workspace, server: LyingServer, clock: FakeClock
) -> None:
    most = 1_500 + MOST - 1
    assert asyncio.run(worded(workspace, server, most)).note is None
    found = asyncio.run(worded(workspace, server, most))
    assert found.engine == "rules"
    assert found.note == (
        f"the models' budget of the day is used up ({most:,} tokens, setting diagnosis_generate_day_tokens); it starts "
        "anew at midnight UTC"
    )
    assert len(server.asked) == 1
    clock.advance(86_400)
    assert asyncio.run(worded(workspace, server, most)).engine == "rules+liar"
    assert taken(workspace) == {"2027-01-01": 1_500, "2027-01-02": 1_500}


def test_a_budget_of_nothing_asks_nobody(workspace: Workspace, server: LyingServer) -> None:
    assert "used up (0 tokens" in (asyncio.run(worded(workspace, server, 0)).note or "")
    assert server.asked == []


def test_calls_at_once_take_no_more_than_there_is(workspace: Workspace, server: LyingServer) -> None:
    server.slow_s = 0.3

    async def together() -> list[Diagnosis]:
        return list(await asyncio.gather(*(worded(workspace, server, 2 * MOST) for _ in range(5))))

    found = asyncio.run(together())
    assert sorted(each.engine for each in found) == ["rules", "rules", "rules", "rules+liar", "rules+liar"]
    assert taken(workspace) == {"2027-01-01": 3_000}


def test_processes_that_take_at_once_never_take_more(workspace: Workspace) -> None:
    def once(_: int) -> bool:
        try:
            with workspace.writing(MARIA) as uow:
                day.take(uow, 100, most=1_000)
        except DayIsSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(once, range(24))) == 10
    assert taken(workspace) == {"2027-01-01": 1_000}


def test_a_call_that_its_server_refused_costs_nothing_and_one_that_was_cut_off_what_it_is_likely_to(
    workspace: Workspace, server: LyingServer
) -> None:
    server.refuses = [401, 401]
    assert asyncio.run(worded(workspace, server, 100_000)).note == "the model cannot be asked now"
    assert taken(workspace) == {"2027-01-01": 0}
    server.slow_s = 1.0
    assert "took longer than" in (
        asyncio.run(worded(workspace, server, 100_000, diagnosis_generate_timeout_s=0.2)).note or ""
    )
    assert 0 < taken(workspace)["2027-01-01"] < MOST


def test_a_process_that_ends_while_it_asks_leaves_the_most_taken(workspace: Workspace) -> None:
    with workspace.writing(MARIA) as uow:
        day.take(uow, MOST, most=100_000)
    assert taken(workspace) == {"2027-01-01": MOST}
