"""Files of every kind, made as programs make them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence


def docx(*, tables: bool = True) -> bytes:
    import docx as library

    document = library.Document()
    document.add_heading("Leave", 1)
    document.add_paragraph("Employees have 25 days of paid leave a year.")
    document.add_heading("Parents", 2)
    document.add_paragraph("Sixteen weeks for each parent.", style="List Bullet")
    if tables:
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ["Country", "Days", "France", "30"], strict=True):
            cell.text = text
    document.add_paragraph("After the table.")
    return _saved(document)


def pptx(slides: Sequence[tuple[str, str, str]]) -> bytes:
    """Title, text and notes of each slide."""
    import pptx as library

    presentation = library.Presentation()
    for title, text, notes in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = notes
    return _saved(presentation)


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return _saved(book)


def _saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]  # of three libraries
    return file.getvalue()


def pdf(pages: Sequence[str], *, outline: Mapping[str, int] | None = None, encrypted: bool = False) -> bytes:
    """A PDF with lines of text on each page.

    Args:
        outline: titles and the numbers, from 0, of the pages that they lead to.
        encrypted: as one is that needs a password.
    """
    kids = " ".join(f"{10 + 2 * at} 0 R" for at in range(len(pages)))
    titles = list((outline or {}).items())
    objects = {
        1: f"<</Type/Catalog/Pages 2 0 R{'/Outlines 4 0 R' if titles else ''}>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for at, text in enumerate(pages):
        shown = " ".join(f"({line}) Tj T*" for line in text.split("\n")) if text else ""
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET"
        objects[10 + 2 * at] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {11 + 2 * at} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects[11 + 2 * at] = f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream"
    first = 10 + 2 * len(pages)
    if titles:
        objects[4] = f"<</Type/Outlines/First {first} 0 R/Last {first + len(titles) - 1} 0 R/Count {len(titles)}>>"
    for at, (title, page) in enumerate(titles):
        following = f"/Next {first + at + 1} 0 R" if at + 1 < len(titles) else ""
        objects[first + at] = f"<</Title({title})/Parent 4 0 R/Dest[{10 + 2 * page} 0 R/Fit]{following}>>"
    secret = "00" * 32
    locked = f"/Encrypt<</Filter/Standard/V 1/R 2/O<{secret}>/U<{secret}>/P -4>>/ID[<{secret}><{secret}>]"
    return pdf_of(objects, more=locked if encrypted else "")


def pdf_of(objects: Mapping[int, str], *, more: str = "") -> bytes:
    """A PDF of objects by number; 1 is the catalogue."""
    body = "%PDF-1.4\n"
    places = {}
    for number, content in sorted(objects.items()):
        places[number] = len(body)
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{number} 1\n{place:010} 00000 n \n" for number, place in places.items())
    trailer = f"trailer\n<</Size {max(objects) + 1}/Root 1 0 R{more}>>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 1\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def with_part(office: bytes, name: str, content: bytes) -> bytes:
    """An Office file with one part replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(office)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


MAIL = """\
From: Ada <ada@example.com>
To: Team <team@example.com>
Subject: =?utf-8?q?Caf=C3=A9_opens?=
Date: Mon, 02 Mar 2026 09:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=utf-8

The canteen opens on Monday.
--y
Content-Type: text/html; charset=utf-8

<p>The canteen opens on <b>Monday</b>.</p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename="menu.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--x--
""".replace("\n", "\r\n").encode()
