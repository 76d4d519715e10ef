import os
import threading
from pathlib import Path

import pytest

from opsloop.flows.connections import files
from opsloop.flows.connections.store import FILE, KEY, ConnectionStore, StoreUnreadable

MINE = files.parse({"name": "mine", "type": "open_ai", "api_key": "s3cret", "base_url": "http://x"})


def test_a_connection_comes_back_and_its_secret_is_never_in_clear(tmp_path: Path) -> None:
    ConnectionStore(tmp_path).put(MINE)
    assert ConnectionStore(tmp_path).get("mine") == MINE
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes()
    assert os.stat(tmp_path / FILE).st_mode & 0o077 == 0
    assert os.stat(tmp_path / KEY).st_mode & 0o077 == 0


def test_one_that_is_not_there_is_none_and_one_that_is_can_be_removed(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "not" / "made" / "yet")
    assert store.get("mine") is None
    assert not store.remove("mine")
    store.put(MINE)
    assert store.names() == ["mine"]
    assert store.remove("mine")
    assert store.names() == []


def test_the_key_of_another_store_opens_nothing(tmp_path: Path) -> None:
    ConnectionStore(tmp_path / "a").put(MINE)
    ConnectionStore(tmp_path / "b").put(MINE)
    (tmp_path / "a" / KEY).write_bytes((tmp_path / "b" / KEY).read_bytes())
    with pytest.raises(StoreUnreadable, match="mine is not encrypted with the key beside it"):
        ConnectionStore(tmp_path / "a").get("mine")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"connections": 3}', b"\xff\xfe"])
def test_a_damaged_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, damage: bytes) -> None:
    store = ConnectionStore(tmp_path)
    store.put(MINE)
    (tmp_path / FILE).write_bytes(damage)
    for attempt in (store.names, lambda: store.get("mine"), lambda: store.put(MINE)):
        with pytest.raises(StoreUnreadable, match="cannot be read"):
            attempt()
    assert (tmp_path / FILE).read_bytes() == damage


def test_several_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    def put(number: int) -> None:
        ConnectionStore(tmp_path).put(files.parse({"name": f"c{number}", "type": "serp", "api_key": "x"}))

    ConnectionStore(tmp_path).put(MINE)
    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ConnectionStore(tmp_path).names()) == 9


def test_removing_what_is_not_there_makes_no_store(tmp_path: Path) -> None:
    assert not ConnectionStore(tmp_path / "none").remove("mine")
    assert not (tmp_path / "none").exists()
