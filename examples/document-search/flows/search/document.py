from opsloop import read_document
from promptflow.core import tool


@tool
def document(filename: str, collection: str) -> list:
    """The whole document, as passages in reading order."""
    return read_document(collection, filename)
