"""Held out rows: who is one hangs on the row and the seed alone."""

from __future__ import annotations

import hashlib

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.datasets import holdout as rules
from opsloop.datasets.findings import Holdout

ROWS = [{"id": number, "topic": f"t{number // 10}", "text": f"question {number}"} for number in range(1_000)]


def holdout(by: str | None = None, seed: int = 0, share: float = 0.2) -> Holdout:
    return Holdout("golden", 1, share, seed, by, ("id", "topic", "text"))


def held(by: str | None = None, seed: int = 0) -> list[int]:
    return [row["id"] for row in ROWS if rules.is_held_out(row, holdout(by, seed))]  # type: ignore[misc]


def test_a_row_is_held_out_when_its_keyed_hash_is_below_the_share() -> None:
    row = {"text": "a"}
    digest = hashlib.blake2b(b'{"text":"a"}', key=b"opsloop holdout 7", digest_size=8).hexdigest()
    below = int(digest, 16) / 2**64
    for share in (below - 1e-6, below + 1e-6):
        found = rules.is_held_out(row, Holdout("golden", 1, share, 7, None, ("text",)))
        assert found is (share > below)


def test_about_the_share_is_held_out_and_another_seed_holds_out_others() -> None:
    # 200 are expected with a standard deviation of 12.6; the choice is fixed, so this cannot flicker.
    assert 160 < len(held()) < 240
    assert set(held()) != set(held(seed=1))


def test_rows_that_share_a_value_stay_together() -> None:
    groups = {number // 10 for number in held(by="topic")}
    assert held(by="topic") == [row["id"] for row in ROWS if row["id"] // 10 in groups]  # type: ignore[operator]
    assert 5 < len(groups) < 40


def test_rows_without_the_value_are_told_apart_by_all_of_theirs() -> None:
    lone = [{"id": number, "topic": None, "text": "x"} for number in range(200)]
    found = {rules.is_held_out(row, holdout(by="topic")) for row in lone}
    assert found == {True, False}


def test_order_and_other_rows_and_columns_do_not_matter() -> None:
    more = [{"text": row["text"], "id": float(row["id"]), "topic": row["topic"], "note": "new"} for row in ROWS[::-1]]  # type: ignore[arg-type]
    assert {row["id"] for row in more if rules.is_held_out(row, holdout())} == set(held())


def test_parts_are_apart_and_whole() -> None:
    parts = [list(rules.part_of(ROWS, holdout(), part)) for part in rules.PARTS]
    assert sorted([*parts[0], *parts[1]], key=lambda row: row["id"]) == ROWS
    assert rules.counted(ROWS, holdout()) == {"holdout": len(parts[0]), "dev": len(parts[1])}


def test_what_is_lost_is_named_by_its_number() -> None:
    first, second = held()[:2]
    dev = next(row["id"] for row in ROWS if row["id"] not in held())
    after = [row for row in ROWS if row["id"] != first] + [{"id": 5_000, "topic": "new", "text": "new"}]
    assert rules.lost(ROWS, after, holdout()) == [first + 1]
    changed = [{**row, "text": "changed"} if row["id"] == second else row for row in ROWS]
    assert rules.lost(ROWS, changed, holdout()) == [second + 1]
    assert rules.lost(ROWS, [row for row in ROWS if row["id"] != dev], holdout()) == []
    assert rules.lost(ROWS, [{**row, "more": 1} for row in ROWS], holdout()) == []


def test_a_row_that_was_there_twice_must_stay_twice() -> None:
    row = ROWS[held()[0]]
    assert rules.lost([row, row], [row], holdout()) == [2]


@pytest.mark.parametrize(("share", "seed", "by", "said"), [
    (0.0, 0, None, "a share above 0"), (1.0, 0, None, "a share above 0"), (0.2, -1, None, "at least 0"),
    (0.2, 0, "nope", "one of the columns id, topic"),
])  # fmt: skip
def test_a_wrong_choice_is_refused(share: float, seed: int, by: str | None, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rules.check(share, seed, by, ("id", "topic"))
