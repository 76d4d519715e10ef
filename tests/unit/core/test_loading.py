"""What is named by text is loaded without looking for garbage."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from opsloop.core.loading import load


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loaded_here.py").write_text("import gc\n\nwas_enabled = gc.isenabled()\n")
    (tmp_path / "broken_here.py").write_text("raise RuntimeError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_garbage_is_looked_for_again_once_it_is_loaded() -> None:
    assert load("loaded_here:was_enabled") is False
    assert gc.isenabled()


def test_garbage_is_looked_for_again_when_it_cannot_be_loaded() -> None:
    with pytest.raises(RuntimeError, match="broken"):
        load("broken_here:anything")
    assert gc.isenabled()


def test_a_process_that_looks_for_none_goes_on_like_that() -> None:
    gc.disable()
    try:
        load("pathlib:Path")
        assert not gc.isenabled()
    finally:
        gc.enable()
