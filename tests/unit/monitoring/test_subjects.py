from __future__ import annotations

from opsloop.core.workspace import Workspace
from opsloop.monitoring.subjects import Subjects, subjects


def test_the_same_name_gives_the_same_text_and_never_itself() -> None:
    hashed = Subjects(b"k" * 32)
    assert hashed.of("maria@example.com") == hashed.of("maria@example.com")
    assert "maria" not in hashed.of("maria@example.com")
    assert hashed.of("maria@example.com") != hashed.of("mario@example.com")


def test_another_key_gives_another_text() -> None:
    assert Subjects(b"k" * 32).of("maria") != Subjects(b"l" * 32).of("maria")


def test_a_lone_surrogate_is_a_name_too() -> None:
    assert len(Subjects(b"k" * 32).of("\ud800")) == 32


def test_replicas_on_one_database_share_the_key(workspace: Workspace) -> None:
    assert subjects(workspace).of("maria") == subjects(workspace).of("maria")
