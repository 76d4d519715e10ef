"""What every store of passages does, whatever keeps them."""

from __future__ import annotations

import threading

import pytest

from opsloop.rag.stores.port import PassageStore
from tests.contract.rag.stores import ALL, CANTEEN, CATS, COLLECTION, DEVICES, LAPTOP, MEALS, PETS, asked, document

JENA = 'Jena\'s "A"'


@pytest.fixture
def full(store: PassageStore) -> PassageStore:
    store.write(COLLECTION, ALL)
    return store


def seqs(store: PassageStore, *args: object, **options: object) -> list[int]:
    return [hit.seq for hit in store.search(COLLECTION, asked(*args, **options)).hits]  # type: ignore[arg-type]


def test_an_empty_store_holds_and_finds_nothing(store: PassageStore) -> None:
    assert store.held(COLLECTION) == {}
    assert seqs(store, "cats", CATS) == []
    store.remove(COLLECTION, ["doc_1"])
    store.drop(COLLECTION)


def test_what_was_written_is_held_in_its_state(full: PassageStore) -> None:
    assert full.held(COLLECTION) == {each.id: "first" for each in ALL}


def test_words_find_passages_and_name_their_document(full: PassageStore) -> None:
    hits = full.search(COLLECTION, asked("When does the canteen open?")).hits
    assert [(hit.document_id, hit.seq) for hit in hits] == [(MEALS.id, 200)]
    assert 0 < hits[0].score <= 1


def test_a_heading_is_found_with_its_passages(full: PassageStore) -> None:
    assert seqs(full, "security") == [300]


def test_vectors_find_what_shares_no_word(full: PassageStore) -> None:
    assert seqs(full, "kittens", CATS)[:2] == [100, 101]
    assert seqs(full, "notebook", LAPTOP)[0] == 300


def test_words_and_vectors_are_fused(full: PassageStore) -> None:
    both = full.search(COLLECTION, asked("canteen", CATS)).hits
    assert {hit.seq for hit in both} == {100, 101, 200}
    assert seqs(full, "canteen", CATS, weight=0.1)[0] == 200
    assert seqs(full, "canteen", CATS, weight=0.9)[0] == 100


def test_ranks_are_fused_too(full: PassageStore) -> None:
    assert seqs(full, "cats", CATS, ranking="ranks")[0] == 100


def test_words_alone_leave_vectors_out(full: PassageStore) -> None:
    assert seqs(full, "canteen", CATS, ranking="words") == [200]
    assert seqs(full, "kittens", CATS, ranking="words") == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"team": ["work"]}, {200, 300}),
        ({"team": ["home", "work"]}, {100, 101, 200, 300}),
        ({"team": ["work"], "site": [JENA]}, {200}),
        ({"filename": ["3.txt"]}, {300}),
        ({"document_id": [PETS.id]}, {100, 101}),
        ({"team": ["nobody"]}, set()),
        ({"unknown": ["x"]}, set()),
        ({"site": ["' or 1 eq 1 or 'a' eq '"]}, set()),
        ({"team": []}, set()),
    ],
)
def test_filters_hold_for_words_and_for_vectors(
    full: PassageStore, filters: dict[str, list[str]], found: set[int]
) -> None:
    everything = "cats dogs canteen laptop"
    assert set(seqs(full, everything, filters=filters)) == found
    near = (0.5, 0.5, 0.5, 0.0)
    assert set(seqs(full, "nothing else", near, filters=filters)) == found


def test_a_filter_is_exact_among_many_that_are_nearer(store: PassageStore) -> None:
    near = [document(n, "Cats purr.", vectors=[CATS], metadata={"kind": "many"}) for n in range(10, 410)]
    far = document(5, "Nothing of the kind.", vectors=[(0.1, 0.9, 0.0, 0.0)], metadata={"kind": "one"})
    store.write(COLLECTION, [*near, far])
    assert seqs(store, "kittens", CATS, filters={"kind": ["one"]}) == [500]


def test_no_more_are_found_than_wanted(full: PassageStore) -> None:
    assert len(seqs(full, "cats dogs canteen laptop", count=2)) == 2


def test_a_search_tells_how_rare_terms_are(store: PassageStore) -> None:
    store.write(COLLECTION, [document(n, "Cats purr." if n > 4 else "Cats sleep.") for n in range(1, 10)])
    rarity = store.search(COLLECTION, asked("cats sleep unicorns")).rarity
    assert rarity["cat"] < rarity["sleep"] < rarity["unicorn"]


def test_a_document_is_replaced_whole(full: PassageStore) -> None:
    full.write(COLLECTION, [document(1, "Parrots talk.", vectors=[CANTEEN], state="second")])
    assert full.held(COLLECTION)[PETS.id] == "second"
    assert seqs(full, "cats dogs", state="second") == []
    assert seqs(full, "parrots", state="second") == [100]
    assert set(seqs(full, "nothing", CANTEEN, state="second")) == {100, 200}


def test_what_was_removed_is_not_found(full: PassageStore) -> None:
    full.remove(COLLECTION, [PETS.id, "doc_unknown"])
    assert full.held(COLLECTION) == {MEALS.id: "first", DEVICES.id: "first"}
    assert seqs(full, "cats", CATS, state="second") == []


def test_what_was_dropped_is_gone_and_can_come_again(full: PassageStore) -> None:
    full.drop(COLLECTION)
    assert full.held(COLLECTION) == {}
    assert seqs(full, "cats", CATS, state="second") == []
    full.write(COLLECTION, [PETS])
    assert seqs(full, "cats", state="third") == [100]


def test_collections_do_not_see_each_other(full: PassageStore) -> None:
    full.write("other", [document(7, "Cats elsewhere.")])
    assert seqs(full, "cats") == [100]
    full.drop("other")
    assert set(full.held(COLLECTION)) == {each.id for each in ALL}


def test_passages_without_vectors_are_found_by_words(store: PassageStore) -> None:
    store.write(COLLECTION, [document(1, "Cats purr.")])
    assert seqs(store, "cats") == [100]
    store.write(COLLECTION, [document(2, "Cats sleep.", vectors=[CATS])])
    store.write(COLLECTION, [document(1, "Cats purr.", state="second")])
    assert set(seqs(store, "cats", state="second")) == {100, 200}
    assert seqs(store, "kittens", CATS, state="second") == [200]


def test_vectors_of_another_space_take_the_place_of_the_old(full: PassageStore) -> None:
    full.write(COLLECTION, [document(1, "Cats purr.", vectors=[(1.0, 0.0)], state="second")])
    left = [document(n, text, vectors=[(0.0, 1.0)], state="second") for n, text in ((2, "Noon."), (3, "Laptop."))]
    full.write(COLLECTION, left)
    assert full.held(COLLECTION) == {each.id: "second" for each in ALL}
    assert seqs(full, "kittens", (1.0, 0.0), state="second") == [100]


def test_words_of_any_script_and_odd_characters_are_kept(store: PassageStore) -> None:
    store.write(COLLECTION, [document(1, "東京の食堂 \"quoted\" 'text' \\ ${x} 🙂", heading="日本 'q'")])
    assert seqs(store, "東京") == [100]


def test_writers_beside_each_other_lose_nothing(store: PassageStore) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 8):
            store.write(COLLECTION, [document(number, f"Cats purr number {number}.", vectors=[CATS])])

    threads = [threading.Thread(target=write, args=(first,)) for first in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.held(COLLECTION)) == 24
    assert len(seqs(store, "cats", CATS, count=50)) == 24
