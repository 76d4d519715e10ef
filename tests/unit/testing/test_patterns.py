"""Texts for regular expressions."""

from __future__ import annotations

import re

import pytest

from opsloop.testing.patterns import example


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{2}-\d{4}$",
        r"^(GET|POST) /\w+$",
        r"^\+?[1-9]\d{1,14}$",
        r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
        r"^(?:a(?P<b>b)){3}c*?$",
        r"^.{5,}$",
        r"[^a]",
        r"^#[0-9a-fA-F]{6}$",
        r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?$",
        "",
    ],
)
def test_an_example_matches(pattern: str) -> None:
    text = example(pattern)
    assert text is not None
    assert re.search(pattern, text)


def test_an_example_is_as_long_as_it_must_be() -> None:
    text = example("^[a-z]+$", least=12)
    assert text is not None
    assert re.fullmatch("[a-z]{12,}", text)


@pytest.mark.parametrize("pattern", ["(", r"^(a)\1(?=b)c$", "^(?!a)a$", "a{5000}"])
def test_where_none_can_be_made_there_is_none(pattern: str) -> None:
    assert example(pattern) is None
