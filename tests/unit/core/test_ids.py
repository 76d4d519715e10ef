from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

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


def test_threads_that_share_one_never_get_the_same_id() -> None:
    ids = RandomIds()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new("run"), range(5_000)))
    assert len(set(made)) == len(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes fork on POSIX only")
def test_a_forked_process_draws_randomness_of_its_own() -> None:
    ids = RandomIds()
    ids.new("run")
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, ids.new("run").encode())
        os._exit(0)
    os.wait()
    theirs, ours = os.read(reader, 100).decode(), ids.new("run")
    assert theirs[-16:] != ours[-16:], "the last 16 digits are the random ones"
