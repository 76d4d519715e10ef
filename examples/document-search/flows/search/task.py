from promptflow.core import tool
from promptflow.exceptions import UserErrorException

TASKS = ("answer", "summarise")


@tool
def task(mode: str, question: str, document: str) -> str:
    """Which branch of the flow runs."""
    if mode not in TASKS:
        raise UserErrorException(f"mode is {mode!r}; wanted {' or '.join(TASKS)}")
    if mode == "answer" and not question.strip():
        raise UserErrorException("question is empty; wanted what to look for in the documents")
    if mode == "summarise" and not document.strip():
        raise UserErrorException("document is empty; wanted the file name of the document to summarise")
    return mode
