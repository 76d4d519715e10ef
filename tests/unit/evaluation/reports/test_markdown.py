"""The Markdown report: it fits a comment, and nobody's text gets out of its cell."""

from __future__ import annotations

import re

from opsloop.evaluation.reports.markdown import MOST_BYTES, cell, fitted, render
from opsloop.evaluation.verdicts import Rule
from tests.unit.evaluation.made import decision, gate, hostile_report, report, row, rows


def test_flips_slices_and_figures_follow_the_verdict() -> None:
    judged = gate(decision(Rule("exact", at_least=0.9)))
    text = render(report(rows([1, 0] * 10), rows([1] * 20), gate=judged))
    order = [
        "Gate failed",
        "| rule |",
        "`answer@1`",
        "10 rows passed before",
        "Slices",
        "Latency and cost",
        "look at first",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_huge_report_fits_a_comment_and_says_that_it_was_cut() -> None:
    long = [row(number, 0.0, f"{number} " + "long answer " * 400) for number in range(3_000)]
    broken = gate(*[decision(Rule(f"metric {number}", at_least=0.9)) for number in range(1_500)])
    text = render(report(long, rows([1] * 3_000), gate=broken))
    assert len(text.encode()) <= 65_536
    assert "did not fit here" in text
    assert text.count("<details") == text.count("</details>")


def test_parts_are_left_out_from_the_end() -> None:
    text = fitted(["head"], ["a" * 500, "b" * 90_000, "c" * 10], "foot", most=2_000)
    assert "a" * 500 in text
    assert "b" * 100 not in text
    assert "1 part of this report did not fit here" in text
    assert text.endswith("foot\n")
    assert len(fitted(["x" * 100_000], [], "foot").encode()) <= MOST_BYTES


def test_every_line_of_a_table_has_the_columns_of_its_head() -> None:
    text = render(hostile_report())
    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        assert columns in (0, count), line[:200]
        columns = count


def test_hostile_text_brings_no_markup_mention_or_link() -> None:
    text = render(hostile_report())
    tags = set(re.findall(r"<(/?\w+)", text))
    assert tags <= {"details", "/details", "summary", "/summary", "sub", "/sub"}
    prose = re.sub(r"`(answer|golden)@\d`", "", text)
    assert not re.search(r"@\w|(?<!\\)#\d|\w://\w|(?<!\\)\]\(|\bwww\.\w", prose)
    assert text.count("<details") == text.count("</details>")


def test_a_cell_is_one_line_and_cut() -> None:
    assert cell("a\nb | c") == "a b \\| c"
    assert cell("x" * 500).endswith("…")
    assert len(cell("x" * 500)) == 160
