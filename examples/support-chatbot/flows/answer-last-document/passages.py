from opsloop import search
from promptflow.core import tool


@tool
def passages(question: str, collection: str, top_k: int, chat_history: list) -> list:
    """The passages that speak of the question; in a conversation, those of the document cited last come first."""
    found = search(collection, question, top_k=top_k)
    if not chat_history:
        return found
    last_document = chat_history[-1]["outputs"]["citations"][0]["filename"]
    return sorted(found, key=lambda passage: passage["filename"] != last_document)
