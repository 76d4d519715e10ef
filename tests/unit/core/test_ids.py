from __future__ import annotations

from opsloop.core.ids import CountingIds, RandomIds


def test_random_ids_sort_by_creation_and_do_not_repeat() -> None:
    ids = RandomIds()
    made = [ids.new("run") for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert made[0][:12] <= made[-1][:12]
    assert all(id.startswith("run_") and len(id) == 30 for id in made)


def test_counting_ids_count() -> None:
    ids = CountingIds()
    assert [ids.new("run"), ids.new("key")] == ["run_00000001", "key_00000002"]
