from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.monitoring.frames import Damaged, framed, unframed

PAYLOADS = st.lists(st.binary(max_size=60).filter(lambda payload: b"\n" not in payload), max_size=6)


@given(PAYLOADS)
def test_what_is_framed_is_read_back(payloads: list[bytes]) -> None:
    assert list(unframed(framed(payload) for payload in payloads)) == payloads


@given(st.binary(min_size=1, max_size=60).filter(lambda payload: b"\n" not in payload), st.data())
def test_a_line_cut_anywhere_is_damaged(payload: bytes, data: st.DataObject) -> None:
    line = framed(payload)
    cut = data.draw(st.integers(1, len(line) - 1))
    assert list(unframed([line[:cut]])) == [Damaged(cut)]


@pytest.mark.parametrize("at", range(len(framed(b'{"a":1}'))))
def test_a_flipped_bit_is_damage_and_the_next_line_is_read(at: int) -> None:
    line = bytearray(framed(b'{"a":1}'))
    line[at] ^= 0x04
    assert list(unframed([bytes(line), framed(b"{}")])) == [Damaged(len(line)), b"{}"]


def test_lines_of_a_file_are_split_at_newlines_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("spool") / "segment"
    payloads = [b'"\r"', "\u2028".encode(), b""]
    path.write_bytes(b"".join(framed(payload) for payload in payloads))
    with path.open("rb") as file:
        assert list(unframed(file)) == payloads
