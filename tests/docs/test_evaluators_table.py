"""The page on measuring has every evaluator with its options and figures."""

from __future__ import annotations

import re

from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.judging import spec
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "how-to" / "measure-answers.md"
_ROW = re.compile(r"^\| `(?P<name>\w+)` \|[^|]+\|(?P<options>[^|]*)\|(?P<figures>[^|]*)\|$", re.MULTILINE)


def rows() -> dict[str, set[str]]:
    """The options of each evaluator, as the table has them."""
    return {found["name"]: set(re.findall(r"`(\w+)`", found["options"])) for found in _ROW.finditer(PAGE.read_text())}


def test_every_evaluator_is_in_the_table_with_its_options() -> None:
    known = {name: set(each.options) for name, each in registry.known().items()}
    known = {name: each - set(spec.KEYS) if "judge" in each else each for name, each in known.items()}
    assert rows() == {**known, "judge": set()}


def test_evaluators_with_figures_of_all_rows_name_them() -> None:
    told = {found["name"] for found in _ROW.finditer(PAGE.read_text()) if found["figures"].strip()}
    assert told == {name for name, each in registry.known().items() if each.make_aggregate is not None}
