"""From uploaded bytes to a text with pieces; nothing is stored here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.rag.models import UnreadableDocument
from opsloop.rag.parsing.kinds import MEDIA_TYPES, suffix_of
from opsloop.rag.parsing.read import text_of
from opsloop.rag.text.chunk import Piece, chunked, whole
from opsloop.rag.text.words import Span, count_words, stored_terms

MAX_FILENAME = 200
# Metadata comes with each passage that is found, so it is small.
MAX_METADATA = 100
MAX_METADATA_KEY = 100
MAX_METADATA_CHARACTERS = 16_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_BETWEEN_PASSAGES = "\n\n"


@dataclass(frozen=True, slots=True)
class ReadyPiece:
    """A piece with its terms as they are stored, and the id of the passage it was uploaded as.

    Terms are made where a document is read and not where it is written: there everybody who writes would wait for them.
    """

    piece: Piece
    heading_terms: bytes
    window_terms: tuple[bytes, ...]
    passage_id: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document ready to be stored; spans of the pieces point into `text`."""

    filename: str
    media_type: str
    text: str
    pieces: tuple[ReadyPiece, ...]
    words: int


def parsed(filename: str, data: bytes, chunking: str) -> Parsed:
    """Read and cut a document.

    Raises: InvalidInput, UnsupportedDocument, UnreadableDocument, each naming the file and what to do; ExtraNeeded.
    """
    text = text_of(checked_filename(filename), data)
    pieces = cut(text, chunking)
    if not pieces:
        raise UnreadableDocument(filename=filename, reason="it holds no words; upload a file with text in it")
    return Parsed(filename, MEDIA_TYPES[suffix_of(filename)], text, pieces, count_words(text))


def cut(text: str, chunking: str) -> tuple[ReadyPiece, ...]:
    """The pieces of a text, none when it holds no word. Raises: InvalidInput when no chunking has that name."""
    return tuple(_ready(piece, text) for piece in chunked(text, chunking))


def _ready(piece: Piece, text: str, passage_id: str | None = None) -> ReadyPiece:
    window_terms = tuple(stored_terms(text[window.start : window.end]) for window in piece.windows)
    return ReadyPiece(piece, stored_terms(piece.heading), window_terms, passage_id)


def checked_filename(filename: str) -> str:
    """The name itself when it is a plain file name. Raises: InvalidInput."""
    wanted = f"a plain file name without folders, 1 to {MAX_FILENAME} printable characters"
    is_plain = "/" not in filename and "\\" not in filename and filename.strip(" .") != "" and filename.isprintable()
    if not is_plain or len(filename) > MAX_FILENAME:
        raise InvalidInput(field="filename", value=filename, wanted=wanted)
    return filename


def checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Raises: InvalidInput when there is too much of it, or a part is no text that can be stored and asked for."""
    size = sum(len(key) + len(value) for key, value in metadata.items() if isinstance(value, str))
    if len(metadata) > MAX_METADATA or size > MAX_METADATA_CHARACTERS:
        wanted = f"at most {MAX_METADATA} texts of {MAX_METADATA_CHARACTERS:,} characters together, keys included"
        raise InvalidInput(
            f"metadata: has {len(metadata)} texts of {size:,} characters; wanted {wanted}", field="metadata"
        )
    return {checked_key("metadata", key): _storable(f"metadata.{key}", value) for key, value in metadata.items()}


def checked_key(field: str, key: str) -> str:
    """The name of a part of metadata itself, when it can be stored and asked for. Raises: InvalidInput."""
    if not 1 <= len(key) <= MAX_METADATA_KEY or not key.isprintable() or '"' in key or "\\" in key:
        wanted = f'keys of 1 to {MAX_METADATA_KEY} printable characters without " and \\'
        raise InvalidInput(field=f"{field} key", value=key, wanted=wanted)
    return key


def parsed_passages(data: bytes) -> list[Parsed]:
    """Documents from JSON lines of ready passages, `{"_id": "file.pdf#page=3", "title": "", "text": "…"}`.

    What stands before `#` in `_id` names the document; its passages become its chunks in the order of the lines.
    Raises: InvalidInput naming the line.
    """
    by_file: dict[str, list[Mapping[str, str]]] = {}
    for line in _lines(data):
        by_file.setdefault(line["_id"].partition("#")[0], []).append(line)
    return [found for name, lines in by_file.items() if (found := _joined(name, lines)) is not None]


def _lines(data: bytes) -> Iterator[Mapping[str, str]]:
    wanted = 'a JSON object with text in "_id" and "text"'
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise InvalidInput(field=f"line {number}", wanted=wanted) from None
        if not isinstance(found, dict):
            raise InvalidInput(field=f"line {number}", wanted=wanted)
        passage = {key: _storable(f"line {number}, {key}", found.get(key)) for key in ("_id", "text")}
        passage["title"] = _storable(f"line {number}, title", found.get("title", ""))
        if not passage["_id"] or len(passage["_id"]) > 2 * MAX_FILENAME:
            raise InvalidInput(field=f"line {number}, _id", value=passage["_id"], wanted="1 to 400 characters")
        yield passage


def _storable(field: str, value: object) -> str:
    """The value when it is text that both databases can keep; no error tells it, it may be a document's text."""
    if not isinstance(value, str):
        raise InvalidInput(field=field, wanted="text")
    if not is_storable(value):
        raise InvalidInput(field=field, wanted="text without NUL and without lone surrogates")
    return value


def is_storable(text: str) -> bool:
    """Whether both databases can keep it."""
    return "\0" not in text and _SURROGATE.search(text) is None


def _joined(filename: str, lines: Sequence[Mapping[str, str]]) -> Parsed | None:
    """Passages as one text; None when no passage holds a word."""
    text = _BETWEEN_PASSAGES.join(line["text"] for line in lines)
    pieces = []
    at = 0
    for line in lines:
        piece = whole(line["text"])
        if piece is not None:
            title = "" if line["text"].startswith(line["title"]) else line["title"]
            pieces.append(_ready(_moved(piece, at, title), text, line["_id"]))
        at += len(line["text"]) + len(_BETWEEN_PASSAGES)
    return Parsed(filename, "text/plain", text, tuple(pieces), count_words(text)) if pieces else None


def _moved(piece: Piece, by: int, heading: str) -> Piece:
    windows = tuple(Span(window.start + by, window.end + by) for window in piece.windows)
    return Piece(piece.start + by, piece.end + by, heading, windows)
