"""What the README shows of `make up` is what `make up` prints; figures may differ."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FIGURES = re.compile(r"\d[\d.,]*")
_IDS = re.compile(r"(incident|remediation)_01\w+…?")


def shown_in_readme() -> list[str]:
    """The lines that the README shows of the loop, as one words-only text per line."""
    return shown_in("README.md", "make up")


def shown_in(page: str, command: str) -> list[str]:
    """The same of what another page shows of a command."""
    block = (ROOT / page).read_text().split(f"$ {command}\n", 1)[1].split("```", 1)[0]
    return [words(line) for line in paragraphs(block) if line.strip()]


def paragraphs(said: str) -> list[str]:
    """Sentences without the line breaks of the terminal."""
    return re.sub(r"\n {13}(?=\S)", " ", said).splitlines()


def words(line: str) -> str:
    return _FIGURES.sub("#", _IDS.sub(r"\1_#", " ".join(line.split())))


def missing_from(said: str, shown: list[str] | None = None) -> list[str]:
    """Lines of the README, or others that are shown, that were not said; `…` stands for any text."""
    printed = "\n".join(words(line) for line in paragraphs(said))
    return [line for line in (shown_in_readme() if shown is None else shown) if not _is_in(line, printed)]


def _is_in(line: str, printed: str) -> bool:
    return re.search(f"^{re.escape(line).replace('…', '.*')}$", printed, re.MULTILINE) is not None


def test_the_readme_shows_the_loop() -> None:
    assert any(line.startswith("watch release # was rolled back by itself") for line in shown_in_readme())
    assert any(line.startswith("repair Roll back the release to blame") for line in shown_in_readme())


def test_a_line_that_was_not_said_is_found() -> None:
    assert missing_from("") == shown_in_readme()


def test_an_ellipsis_stands_for_any_text_of_one_line() -> None:
    assert missing_from("wrote /tmp/x/report.html", ["wrote …/report.html"]) == []
    assert missing_from("wrote /tmp\n/x/report.html", ["wrote …/report.html"]) != []
