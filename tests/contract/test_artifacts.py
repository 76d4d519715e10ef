"""What every artifact store does, on every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.core.artifacts.directory import DirectoryArtifacts
from opsloop.core.artifacts.memory import MemoryArtifacts
from opsloop.core.artifacts.store import ArtifactMissing, Artifacts, put_by_content
from opsloop.core.errors import InvalidInput


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    return DirectoryArtifacts(tmp_path / "artifacts") if request.param == "directory" else MemoryArtifacts()


def test_what_was_put_is_got(store: Artifacts) -> None:
    store.put("models/a.onnx", b"\x00\xff")
    assert store.get("models/a.onnx") == b"\x00\xff"
    assert store.exists("models/a.onnx")


def test_a_second_put_replaces(store: Artifacts) -> None:
    store.put("a", b"1")
    store.put("a", b"2")
    assert store.get("a") == b"2"


def test_a_missing_blob_is_named(store: Artifacts) -> None:
    with pytest.raises(ArtifactMissing, match="no artifact 'a/b'"):
        store.get("a/b")


def test_keys_are_listed_by_prefix_in_order(store: Artifacts) -> None:
    for key in ("b/2", "a/1", "b/1"):
        store.put(key, b"")
    assert list(store.keys("b/")) == ["b/1", "b/2"]
    assert list(store.keys()) == ["a/1", "b/1", "b/2"]


def test_deleting_twice_is_as_good_as_once(store: Artifacts) -> None:
    store.put("a", b"1")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")


@pytest.mark.parametrize("key", ["", "../a", "/a", "a//b", "a/../b", ".a", "a/.b", "a\x00b", "a\nb", "x" * 1_000])
def test_a_key_that_could_leave_the_store_is_refused(store: Artifacts, key: str) -> None:
    with pytest.raises(InvalidInput, match="artifact key"):
        store.put(key, b"")


def test_the_same_content_has_one_address(store: Artifacts) -> None:
    first = put_by_content(store, "flows", b"abc")
    assert put_by_content(store, "flows", b"abc") == first
    assert first == "flows/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
