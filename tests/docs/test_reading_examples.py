"""How a page's examples are read, and when what was printed counts as what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.examples import matches, steps

PAGE = Path("page.md")


def test_a_console_block_gives_each_command_with_what_it_prints() -> None:
    text = "\n```console\n$ echo one\none\n$ echo two \\\n>   three\ntwo three\n$ true\n```\n"
    assert [(step.line, step.code, step.printed) for step in steps(PAGE, text)] == [
        (3, "echo one", "one"),
        (5, "echo two \\\n  three", "two three"),
        (8, "true", None),
    ]


def test_a_text_block_right_after_python_is_what_it_prints() -> None:
    [step] = steps(PAGE, "```python\nprint(1)\n```\n\n```text\n1\n```\n")
    assert (step.language, step.code, step.printed) == ("python", "print(1)", "1")


def test_a_text_block_after_other_words_is_not_its_output() -> None:
    [step] = steps(PAGE, "```python\nprint(1)\n```\nAnother thing:\n```text\n1\n```\n")
    assert step.printed is None


def test_a_block_with_a_reason_above_is_not_run() -> None:
    assert steps(PAGE, "<!-- not run: it needs a cluster -->\n```bash\nexit 1\n```\n") == []


def test_a_block_without_a_reason_runs_all_the_same() -> None:
    assert len(steps(PAGE, "<!-- not run: -->\n```bash\nexit 1\n```\n")) == 1


def test_an_indented_block_is_read_without_its_indent() -> None:
    [step] = steps(PAGE, "1. First\n\n   ```bash\n   if true; then\n     ls\n   fi\n   ```\n")
    assert step.code == "if true; then\n  ls\nfi"


def test_other_languages_do_not_run() -> None:
    assert steps(PAGE, "```yaml\na: 1\n```\n```\nplain\n```\n") == []


def test_a_block_that_is_never_closed_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2: this block is never closed"):
        steps(PAGE, "\n```bash\nls\n")


def test_a_console_block_without_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with a command"):
        steps(PAGE, "```console\nopsloop up\n```\n")


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        ("one\ntwo", "one\ntwo\n"),
        ("one  \n\ntwo", "\none\n\ntwo  \n\n"),
        ("run-… passed in …s", "run-7f passed in 0.4s"),
        ("first\n…\nlast", "first\na\nb\nlast"),
        ("first\n…\nlast", "first\nlast"),
        ("…", ""),
        ("costs 1.5 (+2)", "costs 1.5 (+2)"),
    ],
)
def test_what_was_printed_is_what_the_page_shows(wanted: str, printed: str) -> None:
    assert matches(wanted, printed)


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        ("one", "one\ntwo"),
        ("one…", "one\ntwo"),
        ("first\n…\nlast", "first\na"),
        ("costs 1.5", "costs 1x5"),
        ("one", ""),
    ],
)
def test_what_was_printed_is_something_else(wanted: str, printed: str) -> None:
    assert not matches(wanted, printed)
