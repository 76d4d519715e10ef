from opsloop import answer as answer_from
from promptflow.core import tool


@tool
def answer(question: str, passages: list) -> dict:
    """An answer whose every citation is an exact span of a passage, or the refusal to guess."""
    return answer_from(question, passages)
