"""The generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import generate
from docs._reference import cli
from docs._reference.markdown import table


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (generate.REFERENCE / name).read_text() == generate.PAGES[name](), "run `make docs`"


def test_a_page_that_was_changed_by_hand_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"one.md": lambda: "one\n", "two.md": lambda: "two\n"})
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0

    (tmp_path / "two.md").write_text("2\n")

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/reference/two.md is not what the code says: run `make docs`\n"


def test_every_command_stands_in_the_reference() -> None:
    paths = [context.command_path for context in cli.commands()]
    assert {"opsloop", "opsloop up", "opsloop audit verify"} <= set(paths)
    page = cli.page()
    assert all(f"## {path}\n" in page for path in paths)


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a", "b"), [("x|y", "two\nlines")]) == "| a | b |\n| --- | --- |\n| x\\|y | two lines |"
