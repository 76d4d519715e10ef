from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases import kept_texts
from opsloop.releases.kept_texts import KeepTexts


def test_what_is_left_out_is_the_usual() -> None:
    assert kept_texts.parse(True) == kept_texts.parse({}) == KeepTexts(30, 1, True)
    assert kept_texts.parse({"days": 2, "share": 0.1, "redact": False}) == KeepTexts(2, 0.1, False)
    assert kept_texts.parse(None) is kept_texts.parse(False) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("yes", "keep_texts"),
        ({"days": 0}, "keep_texts.days"),
        ({"days": True}, "keep_texts.days"),
        ({"days": float("nan")}, "keep_texts.days"),
        ({"share": 1.5}, "keep_texts.share"),
        ({"redact": "no"}, "keep_texts.redact"),
        ({"hours": 1}, "keep_texts.hours"),
    ],
)
def test_what_is_wrong_is_named(wrong: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        kept_texts.parse(wrong)
    assert refused.value.facts["field"] == field
