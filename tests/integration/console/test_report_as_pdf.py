"""An HTML report made into a PDF by the real process, and read back."""

from __future__ import annotations

import pytest

from opsloop.console.pdf import making

pytest.importorskip("typst", reason="no typesetter: install the extra reports")
pdfium = pytest.importorskip("pypdfium2", reason="no reader of PDF: install the extra documents")

REPORT = """<!doctype html><html><head><title>Größen</title><style>
:root { --a: #1f5fbf; } @media (prefers-color-scheme: dark) { :root { --a: #fff; } } svg .a { fill: var(--a); }
</style></head><body><h1>Größen im Juli</h1><p>Ωμέγα, Жук and “quotes” — 7.7&nbsp;% <b>more</b>.</p>
<ul><li>first</li><li>#read("/etc/passwd") $x$ [y] *z*</li></ul><ol><li>one</li></ol>
<dl><dt>Backlog</dt><dd>601</dd><dd>+221</dd></dl>
<table><thead><tr><th>Region</th><th>Opened</th></tr></thead><tbody><tr><th>East</th><td>1,057</td></tr></tbody></table>
<pre>a  =  1</pre><details><summary>More</summary>hidden words</details>
<svg viewBox="0 0 200 40"><rect class="a" width="200" height="20"></rect><text x="5" y="35">in the chart</text></svg>
<script>document.write("ran")</script><style>p { color: red }</style></body></html>"""


def text_of(pdf: bytes) -> str:
    document = pdfium.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r", "")


def test_everything_that_the_page_says_stands_in_the_pdf_and_nothing_is_run() -> None:
    pdf = making.pdf_of(REPORT.encode())
    said = " ".join(text_of(pdf).split())
    for words in (
        *("Größen im Juli", "Ωμέγα, Жук and “quotes” — 7.7 % more.", "first", "Backlog 601 +221", "Region Opened"),
        *("East 1,057", "a = 1", "More", "hidden words", "in the chart", '#read("/etc/passwd") $x$ [y] *z*'),
    ):
        assert words in said, said
    assert "root:" not in said
    assert "ran" not in said.split()
    assert pdfium.PdfDocument(pdf).get_metadata_value("Title") == "Größen"


def test_a_drawing_has_the_colours_of_the_page_on_paper() -> None:
    page = pdfium.PdfDocument(making.pdf_of(REPORT.encode()))[0]
    picture = page.render(scale=1).to_pil().convert("RGB")
    assert (0x1F, 0x5F, 0xBF) in {colour for _, colour in picture.getcolors(1 << 20)}


def test_a_long_report_has_as_many_pages_as_it_needs() -> None:
    pdf = making.pdf_of(b"<html><body>" + b"".join(b"<p>line %d</p>" % n for n in range(400)) + b"</body></html>")
    pages = len(pdfium.PdfDocument(pdf))
    assert pages > 5
    assert "line 399" in text_of(pdf)
    assert f"{pages} / {pages}" in text_of(pdf)


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"<html><body></body></html>",
        b"<div>" * 100_000 + b"deep",
        b"<p>x</p>" * 30_000,
        b"<table><tr>" + b"<td>x</td>" * 1_000 + b"</tr></table>",
        b"<html><body><script>x</script></body></html>",
    ],
    ids=["empty", "no words", "deep", "long", "wide", "only a script"],
)
def test_what_cannot_be_set_is_told(html: bytes) -> None:
    with pytest.raises(making.PdfNotMade, match="download it as HTML"):
        making.pdf_of(html)


def test_a_drawing_loads_nothing() -> None:
    image = b'<image href="file:///etc/hostname" width="9" height="9"></image>'
    svg = b'<svg viewBox="0 0 90 9">' + image + b'<text y="8">seen</text></svg>'
    assert "seen" in text_of(making.pdf_of(b"<html><body>" + svg + b"</body></html>"))
