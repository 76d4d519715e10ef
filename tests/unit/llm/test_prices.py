from pathlib import Path

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.llm.offline import EMBEDDING_MODEL, MODEL
from opsloop.llm.port import Usage
from opsloop.llm.prices import cost_usd

USED = Usage(1_000_000, 500_000)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18"])
def test_a_model_and_its_dated_versions_have_a_price(model: str) -> None:
    assert cost_usd(model, USED) == pytest.approx(0.15 + 0.30)


def test_the_cost_of_a_model_without_a_price_is_unknown_and_not_0() -> None:
    assert cost_usd("my-deployment", USED) is None


@pytest.mark.parametrize("model", [MODEL, EMBEDDING_MODEL])
def test_the_offline_engine_costs_nothing(model: str) -> None:
    assert cost_usd(model, USED) == 0.0


def test_a_users_table_adds_and_replaces_prices(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[my-deployment]\ninput = 1\noutput = 2.0\n[gpt-4o-mini]\ninput = 3\noutput = 0\n")
    assert [cost_usd(model, USED, file) for model in ("my-deployment", "gpt-4o-mini", "gpt-4o")] == [2.0, 3.0, 7.5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[m]\ninput = 1\n", r"\[m\]: is \{'input': 1\}; wanted input and output"),
        ("[m]\ninput = -1\noutput = 1\n", "wanted input and output"),
        ("[m]\ninput = nan\noutput = 1\n", "wanted input and output"),
        ("[m]\ninput = '1'\noutput = 1\n", "wanted input and output"),
        ("m = 1\n", "wanted input and output"),
        ("[m", "wanted a readable file of TOML"),
    ],
)
def test_a_table_of_another_form_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=told):
        cost_usd("m", USED, file)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="llm_prices"):
        cost_usd("m", USED, tmp_path / "none.toml")


def test_a_wrong_most_output_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text("[house]\ninput = 1\noutput = 2\nmost_output = -3\n")
    with pytest.raises(InvalidInput, match="most_output"):
        cost_usd("house", Usage(1, 1), file)
