"""The Python of a pipeline: kept by content, laid out where it runs."""

from __future__ import annotations

import pytest

from opsloop.core.artifacts.memory import MemoryArtifacts
from opsloop.core.errors import InvalidInput
from opsloop.training import code


def test_the_same_files_are_kept_once() -> None:
    store = MemoryArtifacts()
    key = code.keep(store, {"b.py": "x = 1\n", "a.py": ""})
    assert code.keep(store, {"a.py": "", "b.py": "x = 1\n"}) == key
    assert code.keep(store, {"a.py": "", "b.py": "x = 2\n"}) != key
    assert len(list(store.keys())) == 2
    assert code.keep(store, {}) == ""


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a//b.py", ".x/a.py", "a.txt", "a/../b.py", "a\\b.py", ""])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match=r"wanted paths of \.py files below the project's folder"):
        code.check({path: ""})


def test_too_much_code_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 200 files"):
        code.check({f"f{number}.py": "" for number in range(201)})
    with pytest.raises(InvalidInput, match="2,000,000 characters"):
        code.check({"a.py": " " * 2_000_001})
    code.check({"steps/a.py": "", "b-c.py": ""})
