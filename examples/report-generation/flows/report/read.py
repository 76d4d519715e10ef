import csv
import io

from promptflow.core import tool
from promptflow.exceptions import UserErrorException


@tool
def read(figures: str) -> list:
    """The rows of the figures: of CSV text, or of the dataset that is registered under that name."""
    if "\n" in figures:
        text = figures.lstrip("\ufeff")
        return list(csv.DictReader(io.StringIO(text), skipinitialspace=True))
    from opsloop import read_dataset  # only here: with CSV text the flow runs wherever Prompt flow does

    from opsloop.core.errors import InvalidInput, NotFound

    try:
        return read_dataset(figures)
    except (InvalidInput, NotFound) as error:
        raise UserErrorException(f"{error}; or give the figures as CSV text of several lines") from error
