"""PowerPoint: each slide a page with its title as heading, its shapes, and the speaker's notes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from opsloop.rag.parsing import _office
from opsloop.rag.parsing._writing import Writing, check_pages
from opsloop.rag.parsing.trouble import damaged

_WHAT = "a PowerPoint presentation"


def text_of(data: bytes) -> str:
    import pptx  # comes with an extra
    from lxml.etree import LxmlError
    from pptx.exc import PythonPptxError

    _office.check(data, _WHAT, "ppt/presentation.xml")
    writing = Writing()
    try:
        slides = pptx.Presentation(io.BytesIO(data)).slides
        check_pages(len(slides))
        for slide in slides:
            _write(writing, slide)
            writing.end_page()
    except (PythonPptxError, LxmlError, KeyError, ValueError, AttributeError, IndexError, NotImplementedError):
        raise damaged(_WHAT) from None
    return writing.text()


def _write(writing: Writing, slide: Any) -> None:
    title = slide.shapes.title
    if title is not None:
        writing.heading(1, title.text_frame.text)
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            writing.table([[cell.text for cell in row.cells] for row in shape.table.rows])
        elif shape.has_text_frame:
            _paragraphs(writing, shape.text_frame)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        _paragraphs(writing, slide.notes_slide.notes_text_frame)


def _shapes(shapes: Any) -> Iterator[Any]:
    """Shapes in the order of the slide, those of groups too."""
    waiting = list(reversed(list(shapes)))
    while waiting:
        shape = waiting.pop()
        if hasattr(shape, "shapes"):
            waiting += reversed(list(shape.shapes))
        else:
            yield shape


def _paragraphs(writing: Writing, frame: Any) -> None:
    for paragraph in frame.paragraphs:
        writing.paragraph(paragraph.text.replace("\v", "\n"))
