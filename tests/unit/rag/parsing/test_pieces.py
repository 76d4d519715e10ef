from __future__ import annotations

import json

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.rag.models import UnreadableDocument
from opsloop.rag.parsing.pieces import checked_filename, parsed, parsed_passages


def lines(*passages: object) -> bytes:
    return "\n".join(json.dumps(passage) for passage in passages).encode()


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert parsed("a.txt", b"\xef\xbb\xbfHello there.", "sentences").text == "Hello there."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"a.txt: it is empty \(0 bytes\)"),
        (b" \n ", "it holds no words"),
        (b"ab\0cd", "byte 2 is NUL"),
        (b"caf\xe9 au lait", "byte 3 is not UTF-8; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        parsed("a.txt", data, "sentences")


@pytest.mark.parametrize("name", ["", ".", "..", "../a.txt", "/etc/a.txt", "a\\b.txt", "a\n.txt", "a\0.txt", "a" * 201])
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="filename"):
        checked_filename(name)


def test_passages_of_one_source_become_one_document_in_their_order() -> None:
    data = lines(
        {"_id": "a.pdf#page=1", "text": "First page."},
        {"_id": "b.pdf#page=1", "title": "Other", "text": "Another file."},
        {"_id": "a.pdf#page=2", "title": "", "text": "Second page."},
    )
    first, second = parsed_passages(data)
    assert (first.filename, second.filename) == ("a.pdf", "b.pdf")
    assert [one.passage_id for one in first.pieces] == ["a.pdf#page=1", "a.pdf#page=2"]
    assert [first.text[one.piece.start : one.piece.end] for one in first.pieces] == ["First page.", "Second page."]
    assert [first.text[w.start : w.end] for one in first.pieces for w in one.piece.windows] == [
        "First page.",
        "Second page.",
    ]
    assert second.pieces[0].piece.heading == "Other"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{"_id": "a", "text": "x"}\n{oops', 'line 2: wanted a JSON object with text in "_id" and "text"'),
        (b"[1]", "line 1"),
        (b'{"_id": "a"}', "line 1, text: wanted text"),
        (b'{"_id": "", "text": "x"}', "line 1, _id"),
        (b'{"_id": "a", "text": "x\\u0000"}', "line 1, text: wanted text without NUL"),
        (b'{"_id": "a", "text": "\\ud800"}', "line 1, text: wanted text .* surrogates"),
        (b"\xff\xfe{", "line 1"),
    ],
)
def test_a_wrong_line_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        parsed_passages(data)
