from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.rag.text.chunk import CHUNK_WORDS, WINDOW_WORDS, Piece, by_sentences, by_words, chunked, whole
from opsloop.rag.text.words import count_words

PROSE = " ".join(f"Sentence number {number} has exactly eight words here." for number in range(150))


def words_of(text: str, piece: Piece) -> int:
    return count_words(text[piece.start : piece.end])


def test_chunks_have_200_to_400_words_and_windows_60_to_120() -> None:
    pieces = by_sentences(PROSE)
    assert len(pieces) == 3
    assert all(200 <= words_of(PROSE, piece) <= CHUNK_WORDS for piece in pieces)
    windows = [count_words(PROSE[window.start : window.end]) for piece in pieces for window in piece.windows]
    assert all(60 <= words <= WINDOW_WORDS for words in windows)


def test_chunks_and_windows_begin_and_end_with_sentences() -> None:
    for piece in by_sentences(PROSE):
        for span in ((piece.start, piece.end), *piece.windows):
            part = PROSE[span[0] : span[1]]
            assert part.startswith("Sentence")
            assert part.endswith("here.")


def test_windows_of_a_chunk_cover_it() -> None:
    for piece in by_sentences(PROSE):
        joined = " ".join(PROSE[window.start : window.end] for window in piece.windows)
        assert joined == PROSE[piece.start : piece.end]


def test_a_chunk_carries_the_headings_above_it() -> None:
    body = " ".join(["These are words of a section that goes on."] * 30)
    text = f"# Leave\n\n{body}\n\n## Parents\n\n{body}\n\n# Pay\n\n{body}"
    assert [piece.heading for piece in by_sentences(text)] == ["Leave", "Leave > Parents", "Pay"]


def test_short_sections_share_a_chunk() -> None:
    text = "# One\n\nFirst.\n\n# Two\n\nSecond."
    (piece,) = by_sentences(text)
    assert text[piece.start : piece.end] == text


def test_fixed_chunks_have_500_words_between_white_space() -> None:
    text = " ".join(f"w{number}" for number in range(1_100))
    pieces = by_words(text)
    assert [len(text[piece.start : piece.end].split()) for piece in pieces] == [500, 500, 100]


def test_a_ready_passage_stays_whole_however_long() -> None:
    piece = whole(PROSE)
    assert piece is not None
    assert PROSE[piece.start : piece.end] == PROSE
    assert len(piece.windows) == 10


@pytest.mark.parametrize("text", ["", "  \n ", "… - !"])
def test_a_text_without_words_has_no_chunks(text: str) -> None:
    assert by_sentences(text) == []
    assert whole(text) is None


def test_an_unknown_chunking_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="chunking: is 'pages'; wanted sentences or sentences-200 or words-500"):
        chunked("text", "pages")


@given(st.text(alphabet=st.sampled_from("ab .\n#A1•"), max_size=400))
def test_every_word_stands_in_exactly_one_window(text: str) -> None:
    pieces = by_sentences(text)
    windows = [window for piece in pieces for window in piece.windows]
    assert all(left.end <= right.start for left, right in pairwise(windows))
    assert sum(count_words(text[window.start : window.end]) for window in windows) == count_words(text)
