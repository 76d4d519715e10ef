"""Prompt injection: found attacks and false alarms by set, and the time: `python benchmarks/injection.py [FOLDER]`.

Without FOLDER the sets that the model learned from are taken from beside the checkout, and each row is judged by the
rules and a model whose training did not see it (five folds); the sentences of our own were written with these sets in
view. With FOLDER the screen as it ships judges the files `*.jsonl` there, rows with `text` and `label` (1 is an
attack): give it sets that are kept back. Goal: at least .75 of direct attacks found with at most .02 false alarms, on
harmless texts full of trigger words (NotInject) too, in less than 2 ms for 4 KB. BIPIA's attacks are ordinary
requests that stand in somebody else's text: no screen of words finds them, and they do not count towards the goal.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from opsloop.guardrails.injection.rules import hits
from opsloop.guardrails.injection.search import search
from opsloop.guardrails.wording.passages import passages
from opsloop.guardrails.wording.plain import plain

BESIDE = Path(__file__).parents[2] / "shared" / "data"
FOUND, FALSE_ALARMS, LIMIT_MS = 0.75, 0.02, 2.0
INDIRECT = ("bipia_text",)
TEXTS, ROUNDS = 30, 10

# Set, whether it is an attack, whether it was found.
Judged = tuple[str, bool, bool]


def unseen(data: Path) -> list[Judged]:
    import _injection_rows as given  # brings scikit-learn
    from _wording import unseen_scores

    rows = given.read(data)
    scores = unseen_scores(rows, given.passages_of(rows), given.C)
    threshold = given.threshold(rows, scores)
    judged = [
        (row.source, row.is_bad, bool(score >= threshold) or has_rule(row.text))
        for row, score in zip(rows, scores, strict=True)
        if row.source != "ours"
    ]
    return judged + shipped([data / "guardrails" / "prompt-injection" / f"dev_{name}.jsonl" for name in INDIRECT])


def has_rule(text: str) -> bool:
    return any(True for start, end in passages(text) for _ in hits(plain(text[start:end])))


def shipped(files: Iterable[Path]) -> list[Judged]:
    from _injection_rows import lines

    return [
        (
            file.stem.removeprefix("dev_").removeprefix("heldout_"),
            row["label"] == 1,
            any(True for _ in search(str(row["text"]))),
        )
        for file in files
        for row in lines(file)
    ]


def ms_for_4_kb() -> float:
    """The median over different texts of the best of some rounds: other work on the machine only adds to it."""
    return median(min(_seconds(text) for _ in range(ROUNDS)) for text in _texts()) * 1e3


def _seconds(text: str) -> float:
    started = time.perf_counter()
    for _ in search(text):
        pass
    return time.perf_counter() - started


def _texts() -> list[str]:
    """Requests of our own in texts of 4 KB."""
    from _injection_phrases import harmless

    chance = random.Random(1)
    return [" ".join(harmless(chance) for _ in range(80))[:4096] for _ in range(TEXTS)]


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else BESIDE
    if not folder.is_dir():
        print(f"injection: not measured, there are no labelled texts in {folder}; name their folder")
        return 0
    judged = shipped(sorted(folder.glob("*.jsonl"))) if arguments else unseen(folder)
    by_set: defaultdict[tuple[str, bool], list[bool]] = defaultdict(list)
    for name, is_attack, is_found in judged:
        by_set[name, is_attack].append(is_found)
    print(f"{'set':22} {'attacks':>8} {'found':>6} {'harmless':>9} {'false alarms':>13}")
    for name in sorted({name for name, _ in by_set}):
        attacks, harmless = by_set.get((name, True), []), by_set.get((name, False), [])
        print(f"{name:22} {len(attacks):8} {_share(attacks):>6} {len(harmless):9} {_share(harmless):>13}")
    direct = {key: found for key, found in by_set.items() if key[0] not in INDIRECT}
    found = [sum(each) / len(each) for (_, is_attack), each in direct.items() if is_attack]
    alarms = [each for (_, is_attack), each in direct.items() if not is_attack]
    least = min(found, default=1.0)
    share = sum(map(sum, alarms)) / max(1, sum(map(len, alarms)))
    worst = max((sum(each) / len(each) for each in alarms), default=0.0)
    took = ms_for_4_kb()
    is_met = least >= FOUND and share <= FALSE_ALARMS and took < LIMIT_MS
    print(
        f"injection: of the direct attacks of the hardest set {least:.3f} found (goal {FOUND}) with {share:.3f} false "
        f"alarms (goal {FALSE_ALARMS}), {worst:.3f} in the worst set; {took:.2f} ms for 4 KB (goal {LIMIT_MS}): "
        f"{'met' if is_met else 'missed'}"
    )
    return 0 if is_met else 1


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found) / len(found):.3f}" if found else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
