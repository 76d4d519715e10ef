import asyncio
import json

import pytest

from opsloop.llm.offline import MODEL, NOTHING_FITS, OfflineEngine, answer
from opsloop.llm.port import Completion

CONTEXT = """Employees get 25 vacation days each year.
Dental insurance covers two cleanings per year. It does not cover cosmetic surgery.
The office in Oslo opens at eight."""


def ask(question: str, context: str = CONTEXT) -> str:
    return answer(
        [
            {"role": "system", "content": "Answer from the context only."},
            {"role": "user", "content": f"Context:\n{context}\n\nQuestion: {question}"},
        ]
    )


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many vacation days do employees get?", "Employees get 25 vacation days each year."),
        ("When does the Oslo office open?", "The office in Oslo opens at eight."),
        ("Does dental insurance cover cleanings?", "Dental insurance covers two cleanings per year."),
    ],
)
def test_the_best_sentence_is_quoted(question: str, wanted: str) -> None:
    assert ask(question).startswith(wanted)


def test_every_answer_is_a_quotation() -> None:
    for word in ("vacation", "dental", "surgery", "office"):
        for sentence in ask(f"What about {word}?").split(". "):
            assert sentence.rstrip(".") in CONTEXT.replace("\n", " ")


def test_a_question_the_text_does_not_answer_gets_no_guess() -> None:
    assert ask("Who won the football championship yesterday?") == NOTHING_FITS


def test_no_context_gives_no_guess() -> None:
    assert answer([{"role": "user", "content": "What is the capital of France?"}]) == NOTHING_FITS
    assert answer([]) == NOTHING_FITS


def test_it_says_what_it_is_and_that_its_counts_are_estimates() -> None:
    completion = asyncio.run(OfflineEngine().chat([{"role": "user", "content": "Hi"}], temperature=0.2))
    assert completion.model == MODEL
    assert completion.usage is not None
    assert completion.usage.estimated


def test_the_stream_puts_together_to_the_answer() -> None:
    async def pieces() -> list[str | Completion]:
        messages = [{"role": "user", "content": f"Context:\n{CONTEXT}\n\nQuestion: vacation days each year?"}]
        return [piece async for piece in OfflineEngine().stream(messages)]

    *texts, last = asyncio.run(pieces())
    assert isinstance(last, Completion)
    assert "".join(str(text) for text in texts) == last.text
    assert len(texts) > 1


def test_json_is_given_where_it_is_asked_for() -> None:
    messages = [{"role": "user", "content": "Question: x"}]
    completion = asyncio.run(OfflineEngine().chat(messages, response_format={"type": "json_object"}))
    assert json.loads(completion.text) == {"answer": NOTHING_FITS}


def test_long_text_is_cut_not_refused() -> None:
    assert ask("How many vacation days?", CONTEXT + "\nfiller words here now." * 50_000).startswith("Employees")


def test_a_bare_prompt_is_answered_as_a_question() -> None:
    prompt = f"{CONTEXT}\n\nQuestion: When does the Oslo office open?"
    assert asyncio.run(OfflineEngine().complete(prompt)).text == "The office in Oslo opens at eight."


def test_texts_of_like_words_have_like_vectors() -> None:
    found = asyncio.run(OfflineEngine().embed(["vacation days", "the vacation day", "dental insurance"])).vectors

    def likeness(one: int, other: int) -> float:
        return sum(a * b for a, b in zip(found[one], found[other], strict=True))

    assert likeness(0, 0) == pytest.approx(1.0)
    assert likeness(0, 1) == pytest.approx(1.0)
    assert likeness(0, 2) < 0.5
