from opsloop import search
from promptflow.core import tool


@tool
def passages(question: str, collection: str, top_k: int) -> list:
    """The passages of all documents that speak of the question, best first."""
    return search(collection, question, top_k=top_k)
