"""Vectors of texts: of length one, the same again and again, never undefined."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.testing.vectors import base64_of, vector


@given(st.text(max_size=200), st.integers(1, 64))
def test_any_text_has_a_unit_vector(text: str, dimensions: int) -> None:
    found = vector(text, dimensions)
    assert len(found) == dimensions
    assert math.fsum(value * value for value in found) == pytest.approx(1)
    assert vector(text, dimensions) == found


def test_texts_of_the_same_words_have_near_but_not_the_same_vectors() -> None:
    one, other = vector("stable before candidate", 512), vector("candidate before stable", 512)
    assert one != other
    assert math.fsum(left * right for left, right in zip(one, other, strict=True)) > 0.9


def test_base64_holds_32_bit_floats_little_endian() -> None:
    assert struct.unpack("<3f", base64.b64decode(base64_of([0.5, -1.0, 0.25]))) == (0.5, -1.0, 0.25)
