from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.templates import Miner


def _mined(lines: list[str], **more: int) -> Miner:
    miner = Miner(**more)
    for line in lines:
        miner.add(line)
    return miner


NAMES = ("ada", "grace", "alan", "edsger", "barbara", "donald", "niklaus")


def test_lines_that_say_the_same_have_one_template() -> None:
    miner = _mined([f"session of {name} opened on port {at}" for at, name in enumerate(NAMES)])
    assert [(each.text, each.count, each.first_line) for each in miner.templates()] == [
        ("session of <*> opened on port <*>", 7, 1)
    ]


def test_lines_that_say_different_things_stay_apart() -> None:
    lines = [f"session of {name} {verb}" for verb in ("opened", "closed") for name in NAMES]
    texts = [each.text for each in _mined(lines).templates()]
    assert texts == ["session of <*> opened", "session of <*> closed"]


def test_a_line_is_told_its_template() -> None:
    miner = _mined([f"user {name} left" for name in NAMES])
    key = miner.add("user linus left", 40)
    template = miner.template_of(key)
    assert template is not None
    assert (template.text, template.count) == ("user <*> left", 8)
    assert miner.template_of("never seen") is None


def test_the_state_survives_json() -> None:
    miner = _mined([f"user {name} left" for name in NAMES])
    again = Miner.from_json(json.loads(json.dumps(miner.to_json())))
    assert again.templates() == miner.templates()
    with pytest.raises(InvalidInput):
        Miner.from_json({"version": 0})


def test_shapes_are_bounded_however_many_kinds_of_lines_come() -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(3_000)]
    miner = _mined([f"user {word} left" for word in words], most_shapes=100)
    assert len(miner.to_json()["shapes"]) <= 100
    assert "user <*> left" in [each.text for each in miner.templates()]


def test_a_line_that_gave_way_to_its_template_is_told_it_still() -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(500)]
    miner = Miner(most_shapes=100)
    keys = [miner.add(f"user {word} left") for word in words]
    told = [miner.template_of(key) for key in keys]
    assert {each.text for each in told if each} == {"user <*> left"}
    assert None not in told


def test_a_template_is_written_as_a_person_would() -> None:
    miner = _mined([f"opened (path={name}, mode: w)" for name in NAMES])
    assert [each.text for each in miner.templates()] == ["opened (path=<*>, mode: w)"]


@given(st.lists(st.text(max_size=80), max_size=40))
def test_every_line_is_counted_in_one_template(texts: list[str]) -> None:
    miner = Miner()
    keys = [miner.add(text) for text in texts]
    assert sum(each.count for each in miner.templates()) == len(texts)
    assert all(miner.template_of(key) is not None for key in keys)


def test_an_empty_line_is_a_template_of_its_own() -> None:
    assert [(each.text, each.count) for each in _mined(["", ""]).templates()] == [("", 2)]
