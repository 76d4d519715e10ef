from promptflow.core import tool

# A follow-up is short or points back at something said before.
POINTING_BACK = {"it", "its", "that", "this", "they", "them", "those", "these", "there", "one"}


@tool
def standalone(question: str, chat_history: list) -> str:
    """The question as it can be searched for: a follow-up takes the question before it along."""
    words = {word.strip("?,.!").lower() for word in question.split()}
    if not chat_history or (len(words) > 6 and not words & POINTING_BACK):
        return question
    return f"{chat_history[-1]['inputs']['question']} {question}"
