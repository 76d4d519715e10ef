from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.console.pages.document import Part, parts
from opsloop.console.pages.document_uploads import read_metadata
from opsloop.core.errors import InvalidInput

OFFSET = st.integers(-5, 40)


def test_a_cited_span_stands_inside_its_chunk() -> None:
    assert parts("before chunk after", (9, 11), (7, 12)) == [
        Part("before ", is_cited=False, in_chunk=False),
        Part("ch", is_cited=False, in_chunk=True),
        Part("un", is_cited=True, in_chunk=True),
        Part("k", is_cited=False, in_chunk=True),
        Part(" after", is_cited=False, in_chunk=False),
    ]


@given(st.text(max_size=30), st.tuples(OFFSET, OFFSET), st.tuples(OFFSET, OFFSET))
def test_parts_together_are_the_text_and_cited_is_what_was_cited(
    text: str, cited: tuple[int, int], around: tuple[int, int]
) -> None:
    found = parts(text, cited, around)
    assert "".join(each.text for each in found) == text
    low, high = (max(0, min(each, len(text))) for each in cited)
    assert "".join(each.text for each in found if each.is_cited) == (text[low:high] if high > low else "")


def test_metadata_is_a_key_and_a_value_a_line() -> None:
    assert read_metadata("team = people\n\nnote=a=b\n") == {"team": "people", "note": "a=b"}


@pytest.mark.parametrize("line", ["team", "=people", " = "])
def test_a_line_that_is_no_metadata_is_named(line: str) -> None:
    with pytest.raises(InvalidInput, match="key=value, one a line"):
        read_metadata(line)
