"""The HTML report: complete, of one file, and inert whatever stands in the rows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from opsloop.evaluation.reports.html import render
from opsloop.evaluation.verdicts import Rule
from tests.unit.evaluation.made import decision, gate, hostile_report, report, row, rows


class Parsed(HTMLParser):
    """Tags, attributes and texts of a document, and whether every tag was closed."""

    VOID = ("meta", "input", "line", "circle", "rect", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_verdict_comes_first_then_rules_metrics_and_rows_that_broke() -> None:
    judged = gate(decision(Rule("exact", at_least=0.9)))
    html = render(report(rows([1, 0, 0]), rows([1, 1, 0]), gate=judged))
    order = [
        "Gate failed",
        "Rules of the gate",
        'id="metrics"',
        'id="broke"',
        'id="worst"',
        'id="provenance"',
        'id="all"',
    ]
    places = [html.index(part) for part in order]
    assert places == sorted(places)


def test_a_broken_row_shows_both_outputs_with_the_changed_words_marked() -> None:
    html = render(report([row(0, 0.0, "20 days")], [row(0, 1.0, "30 days")]))
    broke = html[html.index('id="broke"') :]
    assert broke.index("<mark>30</mark> days") < broke.index("<mark>20</mark> days")


def test_nothing_is_loaded_and_no_script_is_in_it() -> None:
    parsed = Parsed(render(hostile_report()))
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name == "style"]
    assert all(value.startswith("#") for name, value in parsed.attributes if name in ("href", "src", "action"))
    policy = dict(parsed.attributes)["content"]
    assert any("default-src 'none'" in value for name, value in parsed.attributes if name == "content"), policy


def test_hostile_text_breaks_out_of_nothing_and_is_all_there_as_text() -> None:
    html = render(hostile_report())
    parsed = Parsed(html)
    assert parsed.open == []
    assert parsed.tags.count("style") == 1
    assert any("document.title='owned'" in text for text in parsed.texts)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


def test_a_megabyte_in_a_cell_is_cut_and_says_so() -> None:
    html = render(hostile_report())
    assert len(html) < 400_000
    assert re.search(r"\(1,000,\d\d\d characters\)", html)


def test_the_style_sheet_is_the_one_that_the_policy_names() -> None:
    import base64
    import hashlib

    html = render(report(rows([1])))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in html


def test_all_rows_are_there_as_lines_with_what_became_of_them() -> None:
    html = render(report(rows([0] * 600), rows([1] * 600)))
    lines = html[html.index('id="all"') :]
    assert lines.count('<tr class="broke">') == 600
    assert "the first 200 here" in html


def test_a_run_without_rows_gate_or_metrics_is_a_report_too() -> None:
    from tests.unit.evaluation.made import run

    html = render(report([], run=run(metrics={}, error="the flow is gone", rows=0)))
    assert "The evaluation failed: the flow is gone" in html
    assert Parsed(html).open == []


def test_provenance_names_digests_seed_who_and_the_audit_head() -> None:
    html = render(report(rows([1])))
    for part in ("d" * 64, "f" * 64, "ada", "b" * 64, "after 7 events"):
        assert part in html
