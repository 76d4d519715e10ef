from opsloop import answer as answer_from
from promptflow.core import tool


@tool
def answer(question: str, passages: list, min_support: float) -> dict:
    """An answer whose every citation is an exact span of a document, or the refusal to guess."""
    return answer_from(question, passages, min_support=min_support)
