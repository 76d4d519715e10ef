from promptflow.core import tool

TASKS = ("answer", "summarise")


@tool
def task(mode: str, question: str, document: str) -> str:
    """Which branch of the flow runs."""
    if mode not in TASKS:
        raise ValueError(f"mode is {mode!r}; wanted {' or '.join(TASKS)}")
    if mode == "answer" and not question.strip():
        raise ValueError("question is empty; wanted what to look for in the documents")
    if mode == "summarise" and not document.strip():
        raise ValueError("document is empty; wanted the file name of the document to summarise")
    return mode
