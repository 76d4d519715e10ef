import math
from dataclasses import dataclass

import pytest

from opsloop.flows.models import ValueType
from opsloop.flows.values import WrongType, coerce, journalled, plain, type_of_annotation


@pytest.mark.parametrize(
    ("value", "type", "wanted"),
    [
        ("3", ValueType.INT, 3),
        (3.0, ValueType.INT, 3),
        (" 4 ", ValueType.INT, 4),
        ("2.5", ValueType.DOUBLE, 2.5),
        (2, ValueType.DOUBLE, 2.0),
        ("TRUE", ValueType.BOOL, True),
        ("false", ValueType.BOOL, False),
        (5, ValueType.STRING, "5"),
        ("[1, 2]", ValueType.LIST, [1, 2]),
        ((1, 2), ValueType.LIST, [1, 2]),
        ('{"a": 1}', ValueType.OBJECT, {"a": 1}),
        (None, ValueType.INT, None),
        ({"x": 1}, ValueType.IMAGE, {"x": 1}),
    ],
)
def test_values_become_what_an_input_declares(value: object, type: ValueType, wanted: object) -> None:
    assert coerce(value, type) == wanted


@pytest.mark.parametrize(
    ("value", "type"),
    [
        ("three", ValueType.INT),
        (3.5, ValueType.INT),
        (True, ValueType.INT),
        (math.inf, ValueType.INT),
        ([], ValueType.DOUBLE),
        ("1e5x", ValueType.DOUBLE),
        ("maybe", ValueType.BOOL),
        ("{}", ValueType.LIST),
        ("not json", ValueType.LIST),
        ("[1]", ValueType.OBJECT),
        (7, ValueType.OBJECT),
        ("[" * 100_000, ValueType.LIST),
        ("9" * 5_000, ValueType.INT),
    ],
)
def test_other_values_are_refused(value: object, type: ValueType) -> None:
    with pytest.raises(WrongType):
        coerce(value, type)


def test_text_of_ten_megabytes_passes_as_it_is() -> None:
    text = "x" * 10_000_000
    assert coerce(text, ValueType.STRING) is text


@dataclass
class Point:
    x: float
    tags: set[str]


def test_plain_gives_what_json_can_hold() -> None:
    assert plain({1: Point(math.nan, {"a"}), "b": (1, None)}) == {"1": {"x": None, "tags": ["a"]}, "b": [1, None]}


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert isinstance(plain(loop), list)


def test_a_journal_keeps_not_a_number() -> None:
    assert math.isnan(journalled([math.nan])[0])


def test_annotations_name_types_also_as_text() -> None:
    assert type_of_annotation(int) is ValueType.INT
    assert type_of_annotation("dict") is ValueType.OBJECT
    assert type_of_annotation(Point) is None


def test_numbers_and_arrays_of_numpy_become_plain_ones() -> None:
    np = pytest.importorskip("numpy")
    value = {
        "a": np.float64(1.5),
        "b": np.int64(2),
        "c": np.bool_(True),
        "d": np.array([[1, 2]]),
        "e": np.float64("nan"),
    }
    found = plain(value)
    assert found == {"a": 1.5, "b": 2, "c": True, "d": [[1, 2]], "e": None}
    assert [type(found[key]) for key in "abc"] == [float, int, bool]
