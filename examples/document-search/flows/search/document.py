from opsloop import read_document
from opsloop.core.errors import NotFound
from promptflow.core import tool
from promptflow.exceptions import UserErrorException


@tool
def document(filename: str, collection: str) -> list:
    """The whole document, as passages in reading order."""
    try:
        return read_document(collection, filename)
    except NotFound as error:
        raise UserErrorException(str(error)) from error
