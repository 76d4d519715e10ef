import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.llm.port import Completion, Embedding, Message, Usage
from opsloop.llm.recording import Mode, NotRecorded, Recorded, Recording, RecordingDamaged

HELLO = [{"role": "user", "content": "hello"}]


class Counting:
    """A model that answers with how often it was asked."""

    engine = "counting"
    model = "counting-1"

    def __init__(self) -> None:
        self.asked = 0

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        self.asked += 1
        text = f"answer {self.asked}"
        return Completion(text, "counting-1", Usage(3, 2), "stop", {"role": "assistant", "content": text}, {"id": "x"})

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        completion = await self.chat(messages)
        for word in completion.text.split(" "):
            yield word
        yield completion

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self.chat([])

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        self.asked += 1
        return Embedding([[0.1, -2.0] for _ in texts], "counting-1", Usage(1, 0))


class Nobody(Counting):
    """A model that must not be asked."""

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        raise AssertionError("a call that was to be replayed was made")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "calls.jsonl"


def recorded(file: Path, mode: Mode, provider: Counting | None = None) -> Recorded:
    return Recorded(provider or (Nobody() if mode is Mode.REPLAY else Counting()), Recording(file, mode), model="m1")


async def pieces(provider: Recorded) -> list[str | Completion]:
    return [piece async for piece in provider.stream(HELLO)]


def chat(provider: Recorded, *messages: Message, **parameters: Any) -> str:
    return asyncio.run(provider.chat(messages or HELLO, **parameters)).text


def test_what_was_recorded_is_replayed_whole(file: Path) -> None:
    one = recorded(file, Mode.RECORD)
    calls = [
        lambda it: it.chat(HELLO, temperature=0.5, seed=None),
        lambda it: it.complete("hello"),
        lambda it: it.embed(["a", "b"]),
        pieces,
    ]
    answers = [asyncio.run(call(one)) for call in calls]
    other = recorded(file, Mode.REPLAY)
    assert [asyncio.run(call(other)) for call in calls] == answers
    assert other.engine == "recording"


def test_a_call_is_known_by_what_is_asked(file: Path) -> None:
    provider = recorded(file, Mode.AUTO)
    asked = [
        chat(provider),
        chat(provider, temperature=0.1),
        chat(provider, model="m2"),
        chat(provider, {"role": "user", "content": "bye"}),
    ]
    assert len(set(asked)) == 4
    again = recorded(file, Mode.REPLAY)
    assert chat(again, model="m1") == asked[0]
    assert chat(again, temperature=0.1, seed=None) == asked[1]


def test_answers_to_the_same_call_come_in_their_order_and_the_last_again(file: Path) -> None:
    one = recorded(file, Mode.RECORD)
    assert [chat(one), chat(one)] == ["answer 1", "answer 2"]
    other = recorded(file, Mode.REPLAY)
    assert [chat(other) for _ in range(3)] == ["answer 1", "answer 2", "answer 2"]


def test_recording_again_replaces_what_was_there(file: Path) -> None:
    asked_before = Counting()
    asked_before.asked = 10
    chat(recorded(file, Mode.RECORD))
    chat(recorded(file, Mode.RECORD, asked_before))
    Recording(file, Mode.RECORD).tidy()
    assert chat(recorded(file, Mode.REPLAY)) == "answer 11"
    assert len(file.read_text().splitlines()) == 1


def test_a_call_that_was_not_recorded_says_which_and_what_to_do(file: Path) -> None:
    with pytest.raises(NotRecorded, match=r"no answer to this chat call of model m1: .*hello.*MODE=auto"):
        chat(recorded(file, Mode.REPLAY))


def test_auto_asks_only_for_what_is_not_there(file: Path) -> None:
    chat(recorded(file, Mode.AUTO))
    second = Counting()
    provider = recorded(file, Mode.AUTO, second)
    assert chat(provider) == "answer 1"
    assert second.asked == 0


def test_a_stream_and_a_whole_answer_stand_for_each_other(file: Path) -> None:
    asyncio.run(pieces(recorded(file, Mode.RECORD)))
    assert chat(recorded(file, Mode.REPLAY)) == "answer 1"
    file.unlink()
    chat(recorded(file, Mode.RECORD))
    replayed = asyncio.run(pieces(recorded(file, Mode.REPLAY)))
    assert replayed[0] == "answer 1"
    assert isinstance(replayed[-1], Completion)


def test_lines_are_sorted_and_hold_what_a_reviewer_wants_to_see(file: Path) -> None:
    provider = recorded(file, Mode.RECORD)
    for word in "abcdefgh":
        chat(provider, {"role": "user", "content": word})
    Recording(file, Mode.RECORD).tidy()
    lines = file.read_text().splitlines()
    assert lines == sorted(lines)
    first = json.loads(lines[0])
    assert first["model"] == "m1"
    assert first["asked"]["content"][0]["role"] == "user"
    assert first["answer"]["text"].startswith("answer")


@pytest.mark.parametrize("line", [b"{oops", b"[]", b'{"key": "k"}', b"\xff\xfe"])
def test_a_damaged_line_is_named(file: Path, line: bytes) -> None:
    chat(recorded(file, Mode.RECORD))
    with file.open("ab") as opened:
        opened.write(line + b"\n")
    with pytest.raises(RecordingDamaged, match="in line 2"):
        chat(recorded(file, Mode.REPLAY))


def test_half_a_surrogate_pair_is_kept_as_it_was(file: Path) -> None:
    odd = {"role": "user", "content": "\ud800"}
    chat(recorded(file, Mode.RECORD), odd)
    assert chat(recorded(file, Mode.REPLAY), odd) == "answer 1"


def test_what_is_no_json_is_refused(file: Path) -> None:
    with pytest.raises(InvalidInput, match="wanted values of JSON"):
        chat(recorded(file, Mode.RECORD), stop={1})


RECORDER = """
import asyncio, sys
from pathlib import Path
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.recording import Mode, Recorded, Recording

async def main(name):
    provider = Recorded(OfflineEngine(), Recording(Path(sys.argv[1]), Mode.RECORD), model="m1")
    for number in range(40):
        await provider.chat([{"role": "user", "content": f"{name} {number}"}])

asyncio.run(main(sys.argv[2]))
"""


def test_two_processes_record_into_one_file(file: Path) -> None:
    names = ["ann", "bob", "eve"]
    running = [subprocess.Popen([sys.executable, "-c", RECORDER, str(file), name]) for name in names]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    said = {line["asked"]["content"][0]["content"] for line in lines}
    assert said == {f"{name} {number}" for name in names for number in range(40)}
    assert [line["key"] for line in lines] == sorted(line["key"] for line in lines)
