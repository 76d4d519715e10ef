from __future__ import annotations

from opsloop.models import comparison
from opsloop.models.signature import Field, FieldType, Output, Signature, Task

SPECIES = Output("species", Task.CLASSIFICATION, ("a", "b"))


def signature(*fields: Field, output: Output = SPECIES) -> Signature:
    return Signature(fields, output)


def test_a_figure_is_better_in_its_own_direction() -> None:
    base = {"accuracy": 0.9, "log_loss": 0.3, "mine": 1.0, "same": 1.0, "gone": 2.0}
    head = {"accuracy": 0.8, "log_loss": 0.2, "mine": 2.0, "same": 1.0, "new": 3.0}
    found = {each.name: (each.difference, each.is_better) for each in comparison.metric_changes(base, head)}
    assert found["accuracy"][1] is False
    assert found["log_loss"][1] is True
    assert found["mine"] == (1.0, None)
    assert found["same"] == (0.0, None)
    assert found["new"] == found["gone"] == (None, None)


def test_what_callers_must_know_comes_before_ranges() -> None:
    base = signature(Field("x", FieldType.NUMBER, 0, 1, nullable=True), Field("y", FieldType.NUMBER, 0, 1))
    head = signature(
        Field("x", FieldType.NUMBER, 0, 2),
        Field("z", FieldType.TEXT),
        output=Output("species", Task.CLASSIFICATION, ("b", "c")),
    )
    assert [f"{each.name} {each.what}" for each in comparison.signature_changes(base, head)] == [
        "x may no longer be missing",
        "z is new, a text",
        "y is gone",
        "species has the new classes c and has no class a any more",
        "x ranged from 0 to 1 and now from 0 to 2",
    ]


def test_the_same_columns_in_another_order_are_told() -> None:
    x, y = Field("x", FieldType.NUMBER), Field("y", FieldType.INTEGER)
    found = list(comparison.signature_changes(signature(x, y), signature(y, x)))
    assert [each.what for each in found] == ["are in another order: y, x"]


def test_a_column_of_another_type_is_told() -> None:
    found = list(
        comparison.signature_changes(
            signature(Field("x", FieldType.TEXT, categories=("a",))), signature(Field("x", FieldType.NUMBER, 0, 1))
        )
    )
    assert [each.what for each in found] == ["was a text and is a number"]
