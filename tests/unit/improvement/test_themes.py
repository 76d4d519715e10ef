"""Groups of what people say: on real questions of known topics, on small and hostile sets, from week to week."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from unittest.mock import patch

import pytest

from opsloop.improvement.themes import clusters, service, shared_words
from opsloop.improvement.themes.models import Said, Themes
from opsloop.rag.text.words import terms

EXAMPLES = Path(__file__).parents[3] / "examples"
LEAVE = ("how many days of leave do I have", "who signs my leave days", "leave days left from last year",
         "do leave days expire in spring", "can I sell days of leave")  # fmt: skip
DENTAL = ("is dental cleaning covered by insurance", "which dental insurance do we have", "crown insurance limit",
          "does insurance pay dental braces", "dental insurance for children")  # fmt: skip
LAPTOP = ("my laptop is broken", "order a new laptop screen", "laptop battery is dead", "screen of my laptop flickers",
          "laptop does not start")  # fmt: skip


def said(*texts: str) -> list[Said]:
    return [Said(f"req_{number}", "question", text) for number, text in enumerate(texts)]


def find(*texts: str, before: Themes | None = None, first: int = 1) -> Themes:
    numbers = count(first)
    return service.find(said(*texts), before=before, new_id=lambda: f"theme_{next(numbers)}")


def purity(labels: Sequence[int | None], topics: Sequence[str]) -> float:
    """The share of texts whose group is mostly of their own topic."""
    groups: dict[int, Counter[str]] = {}
    for label, topic in zip(labels, topics, strict=True):
        if label is not None:
            groups.setdefault(label, Counter())[topic] += 1
    return sum(each.most_common(1)[0][1] for each in groups.values()) / sum(each.total() for each in groups.values())


def real() -> tuple[list[str], list[str]]:
    """Questions about a handbook's benefits, about staff rules, and about figures of a month: three sources."""
    found: list[tuple[str, str]] = []
    for line in (EXAMPLES / "support-chatbot" / "data" / "questions.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("pages"):
            source = row["pages"][0].partition(".pdf")[0]
            topic = "health plan" if source.startswith(("Northwind", "Benefit")) else source
            found.append((row["question"], topic))
    for line in (EXAMPLES / "report-generation" / "data" / "questions.jsonl").read_text().splitlines():
        found.append((" ".join(str(value) for value in json.loads(line).values() if isinstance(value, str)), "figures"))
    return [text for text, _ in found], [topic for _, topic in found]


def test_real_questions_are_grouped_by_topic(capsys: pytest.CaptureFixture[str]) -> None:
    texts, topics = real()
    documents = [terms(text) for text in texts]
    found, coarse = clusters.cluster(documents), shared_words.group(documents)
    most = Counter(topics).most_common(1)[0][1] / len(topics)
    with capsys.disabled():
        print(
            f"\npurity of {len(texts)} questions of {len(set(topics))} topics: clusters {purity(found, topics):.2f}, "
            f"shared words {purity(coarse, topics):.2f}, all in one {most:.2f}"
        )
    assert purity(found, topics) > most + 0.05
    assert purity(found, topics) > 0.75


def test_themes_are_named_by_what_sets_them_apart() -> None:
    found = find(*LEAVE, *DENTAL, *LAPTOP)
    assert (found.method, found.texts) == ("clusters", 15)
    assert found.rest <= 3
    firsts = {each.name.split(", ")[0] for each in found.themes}
    assert "laptop" in firsts
    assert firsts & {"dental", "insurance"}
    assert firsts & {"days", "leave"}
    assert all(len(each.examples) == 3 for each in found.themes)


def test_the_same_texts_give_the_same_themes() -> None:
    assert find(*LEAVE, *DENTAL) == find(*LEAVE, *DENTAL)


def test_a_theme_keeps_id_and_name_in_the_next_week() -> None:
    first = find(*(LEAVE * 2), *(DENTAL * 2))
    wifi = ("guest wifi password", "wifi is slow in room 3", "no wifi on the roof", "wifi for guests", "wifi drops")
    second = find(*(f"{text} please" for text in LEAVE * 2), *(wifi * 2), before=first, first=50)
    known = {each.id: each for each in first.themes}
    again = [each for each in second.themes if each.id in known]
    new = [each for each in second.themes if each.id not in known]
    assert again
    assert all({"leav", "dai", "day"} & set(each.weights) for each in again)
    assert all((each.name, each.before) == (known[each.id].name, known[each.id].size) for each in again)
    assert all("wifi" in each.weights and each.before is None for each in new)
    assert {each.id for each in second.themes if "wifi" in each.weights} == {each.id for each in new}


def test_few_texts_are_not_grouped() -> None:
    assert find("a", "b").method == "none"
    assert find() == Themes("none", 0, 0, ())


def test_without_numpy_a_shared_word_groups_and_the_report_says_so() -> None:
    with patch.object(clusters, "cluster", side_effect=ImportError):
        found = find(*LEAVE, *DENTAL, *LAPTOP)
    assert found.method == "words"
    assert {"laptop", "dental"} <= {term for each in found.themes for term in each.weights}


@pytest.mark.parametrize(
    "texts",
    [
        [""] * 20,
        ["the"] * 20,
        ["same words here"] * 20,
        ["<script>alert(1)</script>", "{{7*7}}", "\u202e\u0007", "'; DROP TABLE feedback; --"] * 5,
        ["休暇は何日ありますか", "休暇の日数", "残りの休暇", "Отпуск сколько дней", "дней отпуска", "أيام الإجازة"] * 3,
        ["word " * 20_000, *(f"text{number}" for number in range(20))],
        [f"unique{number}" for number in range(30)],
        ["👍"] * 10 + ["👎"] * 10,
    ],
    ids=["empty", "stop words", "same", "hostile", "languages", "long", "nothing shared", "signs"],
)
def test_any_texts_come_to_an_end(texts: list[str]) -> None:
    found = find(*texts)
    assert sum(each.size for each in found.themes) + found.rest == len(texts)


def test_many_texts_are_read_in_part() -> None:
    found = find(*(LEAVE * 300), *(DENTAL * 300))
    assert found.texts == 3_000
    assert sum(each.size for each in found.themes) + found.rest == 1_000
