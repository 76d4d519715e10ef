from __future__ import annotations

import pytest

from opsloop.monitoring.segments.cutting import by_category, by_range, cut_of


def test_a_cut_belongs_to_the_range_above_it() -> None:
    names, part = by_range([18, 65, 18])
    assert names == ["below 18", "18 to 65", "from 65", "missing"]
    assert [part(age) for age in (17.9, 18, 64.9, 65, None)] == [
        "below 18", "18 to 65", "18 to 65", "from 65", "missing"
    ]  # fmt: skip


def test_rare_categories_are_one_part_together() -> None:
    values = [str(number) for number in range(8)] * 2 + ["rare"]
    names, part = by_category(values)
    assert names == [*(str(number) for number in range(8)), "others", "missing"]
    assert (part("rare"), part("unheard of"), part(None)) == ("others", "others", "missing")


@pytest.mark.parametrize(("value", "part_of"), [(True, "1"), (1.0, "1"), (False, "0"), (0.0, "0")])
def test_true_and_one_are_the_same_part(value: object, part_of: str) -> None:
    _, part = by_category([1.0, 0.0])
    assert part(value) == part_of


def test_a_number_of_many_values_is_cut_at_its_quartiles_and_one_of_few_is_not() -> None:
    quartiles, _ = cut_of([float(number) for number in range(101)], is_number=True)
    assert quartiles[:4] == ["below 25", "25 to 50", "50 to 75", "from 75"]
    few, _ = cut_of([1.0, 2.0, 2.0], is_number=True)
    assert few[:2] == ["2", "1"]
