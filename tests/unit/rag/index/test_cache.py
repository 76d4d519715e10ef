from __future__ import annotations

from opsloop.rag.index.cache import Held, IndexCache


def held(version: str) -> Held:
    return Held(version, lineage="first", revision=1, embedder=None, space=None, index=None)


def test_the_index_of_a_collection_that_is_gone_is_let_go_and_one_that_is_behind_stays() -> None:
    cache = IndexCache(limit_bytes=1_000)
    for collection in ("leave", "gone"):
        cache.get(collection, "1", lambda _before: held("1"))
    cache.forget_gone(["leave"])
    assert cache.newest("gone") is None
    before: list[Held | None] = []

    def next_version(known: Held | None) -> Held:
        before.append(known)
        return held("2")

    cache.get("leave", "2", next_version)
    assert [known.version for known in before if known is not None] == ["1"]
