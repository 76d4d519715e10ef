"""What calls to models cost, by a table of prices that a user can replace; without a price the cost is unknown."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.llm.port import Usage

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|\d{6}|\d{8})$")
_MILLION = 1_000_000
MOST_OUTPUT = 32_768
Prices = Mapping[str, "Price"]


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens; `most_output` is how many tokens the model can write in one answer."""

    input: float
    output: float
    most_output: int | None = None

    def of(self, usage: Usage) -> float:
        """US dollars."""
        return (usage.prompt_tokens * self.input + usage.completion_tokens * self.output) / _MILLION


def cost_usd(model: str, usage: Usage, file: Path | None = None) -> float | None:
    """What a call cost; None when no table has a price for the model.

    Args:
        model: as the server names it; a date at its end may be left out in the table.
        file: the user's own table, read over the one of this package.
    Raises: InvalidInput when that cannot be read, naming what is wrong.
    """
    prices = table(file)
    price = prices.get(model) or prices.get(_DATE.sub("", model))
    return None if price is None else price.of(usage)


def most_output_tokens(model: str, file: Path | None = None) -> int:
    """The most tokens of one answer of a model, as its maker says; `MOST_OUTPUT` for one nobody says it of."""
    prices = table(file)
    price = prices.get(model) or prices.get(_DATE.sub("", model))
    return MOST_OUTPUT if price is None or price.most_output is None else price.most_output


@functools.lru_cache(maxsize=16)
def table(file: Path | None = None) -> Prices:
    """Prices by the model's name. Raises: as `cost_usd`."""
    own = resources.files("opsloop.llm").joinpath("prices.toml").read_text("utf-8")
    prices = _prices(tomllib.loads(own), "prices.toml")
    return prices if file is None else {**prices, **_prices(_read(file), str(file))}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        wanted = "a readable file of TOML with a table for each model"
        raise InvalidInput(f"setting llm_prices: {file} ({error}); wanted {wanted}", field="llm_prices") from None


def _prices(tables: Mapping[str, Any], name: str) -> dict[str, Price]:
    return {model: _price(values, f"{name}: [{model}]") for model, values in tables.items()}


def _price(values: Any, field: str) -> Price:
    wanted = "input and output, each in US dollars for a million tokens, 0 or more"
    if not isinstance(values, dict) or set(values) - {"most_output"} != {"input", "output"}:
        raise InvalidInput(field=field, value=values, wanted=wanted)
    most = values.get("most_output")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise InvalidInput(field=field, value=values, wanted="most_output as a number of tokens")
    for number in (values["input"], values["output"]):
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < float("inf"):
            raise InvalidInput(field=field, value=values, wanted=wanted)
    return Price(float(values["input"]), float(values["output"]), most)
