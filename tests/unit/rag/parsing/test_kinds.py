"""What is read from files of each kind."""

from __future__ import annotations

import codecs
from datetime import date

import pytest

from opsloop.rag.models import UnreadableDocument
from opsloop.rag.parsing.pieces import parsed
from opsloop.rag.parsing.read import text_of
from tests.unit.rag.parsing import files


def test_a_word_document_is_read_in_order_with_headings_lists_and_tables() -> None:
    assert text_of("a.docx", files.docx()) == (
        "# Leave\n\nEmployees have 25 days of paid leave a year.\n\n## Parents\n\n- Sixteen weeks for each parent.\n"
        "- Country: France; Days: 30\n\nAfter the table.\n\n"
    )


def test_words_in_content_controls_and_insertions_are_read_and_deleted_ones_are_not() -> None:
    ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>Form.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:ins><w:r><w:t>New</w:t></w:r></w:ins><w:del><w:r><w:delText>Old</w:delText></w:r></w:del>"
        "<w:r><w:tab/><w:t>end</w:t></w:r></w:p>"
    )
    document = f"<w:document {ns}><w:body>{body}</w:body></w:document>".encode()
    assert text_of("a.docx", files.with_part(files.docx(), "word/document.xml", document)) == "Form.\n\nNew\tend\n\n"


def test_each_slide_is_a_page_with_its_title_and_notes() -> None:
    found = parsed("a.pptx", files.pptx([("Plan", "One\nTwo", "Say hello"), ("Next", "Three", "")]), "sentences")
    assert found.text == "# Plan\n\nOne\n\nTwo\n\nSay hello\n\n\f\n# Next\n\nThree\n\n\f\n"
    assert [(one.piece.heading, one.piece.page) for one in found.pieces] == [("Plan", 1), ("Next", 2)]


def test_each_sheet_is_a_section_whose_rows_name_their_columns() -> None:
    rows: list[list[object]] = [
        ["Price list"],
        [],
        ["Item", "Price", "Since"],
        ["Kettle", 29.9, date(2026, 3, 2)],
        ["Mug", 4, None],
    ]
    text = text_of("a.xlsx", files.xlsx({"Prices": rows, "Empty": [], "Notes": [["Ask Ada."]]}))
    assert text == (
        "# Prices\n\n- Price list\n- Item: Kettle; Price: 29.9; Since: 2026-03-02\n- Item: Mug; Price: 4\n\n"
        "# Notes\n\n- Ask Ada.\n\n"
    )


def test_a_pdf_keeps_its_pages_and_titles_of_its_outline_are_headings() -> None:
    pages = ["Introduction\nKettles boil water.", "Warranty\nIt lasts 24 months."]
    found = parsed("a.pdf", files.pdf(pages, outline={"Introduction": 0, "Warranty": 1}), "sentences")
    assert found.text == "# Introduction\n\nKettles boil water.\n\n\f\n# Warranty\n\nIt lasts 24 months.\n\n\f\n"
    assert [(one.piece.heading, one.piece.page) for one in found.pieces] == [("Introduction", 1), ("Warranty", 2)]
    assert found.media_type == "application/pdf"


def test_html_is_what_a_reader_sees() -> None:
    page = b"""<!doctype html><html><head><title>Shop</title><style>p {}</style><script>track()</script></head><body>
    <nav><a href=/>Home</a></nav><div role=navigation>Menu</div><h1>Delivery</h1><p>It costs
    <b>4</b> euros.<br>Paid at once.</p><h2>Abroad</h2><ul><li>France<li>Spain</ul>
    <table><tr><th>Country<th>Days<tr><td>France<td>3</table><p hidden>secret</p><p style="display: none">secret</p>
    <pre>a
  b</pre><template>no</template><footer>(c)</footer></body></html>"""
    assert text_of("a.html", page) == (
        "# Delivery\n\nIt costs 4 euros.\nPaid at once.\n\n## Abroad\n\n- France\n- Spain\n"
        "- Country: France; Days: 3\n\na\n  b\n\n"
    )


def test_a_page_without_a_heading_has_its_title_as_one() -> None:
    assert text_of("a.htm", b"<title>Shop</title><p>Open.") == "# Shop\n\nOpen.\n\n"


def test_a_table_that_arranges_a_page_is_read_as_the_page() -> None:
    page = b"<table><tr><td><h2>Left</h2><p>One.</p></td><td><p>Two.</p></td></tr></table>"
    assert text_of("a.html", page) == "## Left\n\nOne.\n\nTwo.\n\n"


@pytest.mark.parametrize(
    "page",
    [
        "<p>Café".encode(),
        '<meta charset="iso-8859-1"><p>Café'.encode("latin-1"),
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>Café'.encode("cp1252"),
        "<p>Café".encode("cp1252"),
        codecs.BOM_UTF8 + "<p>Café".encode(),
        codecs.BOM_UTF16_LE + "<p>Café".encode("utf-16-le"),
        '<meta charset="no-such"><p>Café'.encode(),
    ],
)
def test_a_page_says_its_encoding_by_mark_or_head(page: bytes) -> None:
    assert text_of("a.html", page) == "Café\n\n"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.csv", b"Name,Age\r\nAda,36\r\n\r\nBob,\r\n", "- Name: Ada; Age: 36\n- Name: Bob\n\n"),
        ("a.csv", b'Name;Says\nAda;"Hi;\nall"\n', "- Name: Ada; Says: Hi; all\n\n"),
        ("a.csv", b"one\ntwo\n", "- one\n- two\n\n"),
        ("a.csv", b"Name,Age\n", "- Name; Age\n\n"),
        ("a.csv", b"Name,Age\nAda,36,London\n", "- Name: Ada; Age: 36; London\n\n"),
        ("a.tsv", b"Name\tAge\nAda\t36\n", "- Name: Ada; Age: 36\n\n"),
    ],
)
def test_rows_of_a_table_name_their_columns(name: str, data: bytes, text: str) -> None:
    assert text_of(name, data) == text


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.json", b'{"name": "Ada", "home": {"city": "London"}, "tags": ["x", true, null]}',
         "- name: Ada\n- home.city: London\n- tags: x\n- tags: true\n\n"),
        ("a.json", b'[{"a": 1.50}, {"a": 2}]', "- a: 1.50\n\n- a: 2\n\n"),
        ("a.json", b'"Hello."', "- Hello.\n\n"),
        ("a.json", b"[" + b"9" * 10_000 + b"]", f"- {'9' * 10_000}\n\n"),
        ("a.jsonl", b'{"a": 1}\n\n{"a": 2}\n', "- a: 1\n\n- a: 2\n\n"),
        ("a.json", b'{"a": "x\\ud800\\u0000y"}', "- a: x\ufffd\ufffdy\n\n"),
    ],
)  # fmt: skip
def test_json_is_read_as_paths_and_values(name: str, data: bytes, text: str) -> None:
    assert text_of(name, data) == text


def test_an_e_mail_is_its_subject_people_text_and_names_of_attachments() -> None:
    assert text_of("a.eml", files.MAIL) == (
        "# Café opens\n\n- From: Ada <ada@example.com>\n- To: Team <team@example.com>\n"
        "- Date: Mon, 02 Mar 2026 09:00:00 +0000\n\nThe canteen opens on Monday.\n\nAttachments: menu.pdf\n\n"
    )


def test_an_e_mail_of_html_alone_is_read_as_a_page() -> None:
    mail = b"Subject: Hi\nContent-Type: text/html; charset=utf-8\n\n<style>p {}</style><p>Hello <b>all</b>.</p>"
    assert text_of("a.eml", mail) == "# Hi\n\nHello all.\n\n"


def test_text_with_form_feeds_has_pages() -> None:
    pieces = parsed("a.txt", b"First page.\fSecond page.\f", "sentences").pieces
    assert [one.piece.page for one in pieces] == [1, 2]


def test_text_without_form_feeds_has_none() -> None:
    assert parsed("a.txt", b"First.", "sentences").pieces[0].piece.page is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_text_is_read_by_its_byte_order_mark(encoding: str) -> None:
    assert text_of("a.txt", "Café".encode(encoding)) == "Café"


def test_pages_are_kept_in_the_older_form_of_chunks_too() -> None:
    pieces = parsed("a.pdf", files.pdf(["word " * 499, "more " * 500]), "words-500").pieces
    assert [one.piece.page for one in pieces] == [1, 2]


def test_a_scan_is_told_from_a_text() -> None:
    with pytest.raises(UnreadableDocument, match=r"a\.pdf: its pages are pictures without text"):
        text_of("a.pdf", files.pdf(["", ""]))
