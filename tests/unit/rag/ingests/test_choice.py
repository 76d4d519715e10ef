"""Where documents are read: here, unless Ray is set, worth it, free and there."""

from __future__ import annotations

import pytest

from opsloop.core.compute.settings import ComputeSettings
from opsloop.rag.ingests import choice
from opsloop.rag.ingests.choice import WORTH_RAY, readers_for
from opsloop.rag.ingests.readers import Here

NOWHERE = ComputeSettings(compute="ray", ray_address="127.0.0.1:1")


@pytest.mark.parametrize(
    ("settings", "documents"),
    [(ComputeSettings(compute="local"), 1_000), (NOWHERE, WORTH_RAY - 1)],
)
def test_ray_is_not_asked_where_it_is_not_set_or_not_worth_it(
    settings: ComputeSettings, documents: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "on_ray", lambda _: pytest.fail("it was asked"))
    with readers_for(settings, documents) as readers:
        assert isinstance(readers, Here)


def test_documents_are_read_here_when_ray_is_away_and_the_next_time_it_is_asked_again() -> None:
    for _ in range(2):
        with readers_for(NOWHERE, 1_000) as readers:
            assert isinstance(readers, Here)
            assert choice._connected.locked()
        assert not choice._connected.locked()


def test_a_second_ingest_at_the_same_time_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with readers_for(NOWHERE, 1_000):
        monkeypatch.setattr(choice, "on_ray", lambda _: pytest.fail("it was asked"))
        with readers_for(NOWHERE, 1_000) as second:
            assert isinstance(second, Here)
