"""The kinds of files that are read, by the end of their name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Kind:
    """How files of one kind are read.

    Attributes:
        what: it with its article, for sentences.
        module: `_module.text_of(data)` beside this file gives the text.
        content: what the first bytes must show, a name of `content`; None: text.
        apart: read in a process of its own, because a crafted file can crash the library or keep it busy for ever.
    """

    what: str
    media_type: str
    module: str
    content: str | None = None
    apart: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument."
_TEXT = Kind("a text file", "text/plain", "plain")
_MARKDOWN = Kind("a Markdown file", "text/markdown", "plain")
_HTML = Kind("an HTML page", "text/html", "html", apart=True)
_PDF = Kind("a PDF document", "application/pdf", "pdf", "pdf", apart=True)
_DOCX = Kind("a Word document", f"{_OFFICE}wordprocessingml.document", "docx", "zip", apart=True)
_PPTX = Kind("a PowerPoint presentation", f"{_OFFICE}presentationml.presentation", "pptx", "zip", apart=True)
_XLSX = Kind("an Excel workbook", f"{_OFFICE}spreadsheetml.sheet", "xlsx", "zip", apart=True)
_CSV = Kind("a CSV file", "text/csv", "csv")
_TSV = Kind("a TSV file", "text/tab-separated-values", "csv")
_JSON = Kind("a JSON file", "application/json", "json")
_JSON_LINES = Kind("a file of JSON lines", "application/jsonl", "json_lines")
_MAIL = Kind("an e-mail", "message/rfc822", "mail", apart=True)

KINDS = {
    ".txt": _TEXT,
    ".text": _TEXT,
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".html": _HTML,
    ".htm": _HTML,
    ".pdf": _PDF,
    ".docx": _DOCX,
    ".pptx": _PPTX,
    ".xlsx": _XLSX,
    ".csv": _CSV,
    ".tsv": _TSV,
    ".json": _JSON,
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".eml": _MAIL,
}
MEDIA_TYPES = {suffix: kind.media_type for suffix, kind in KINDS.items()}


def suffix_of(filename: str) -> str:
    return PurePosixPath(filename).suffix.lower()
