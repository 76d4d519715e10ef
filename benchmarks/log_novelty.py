"""A failed log less one passing log of the same job: `python benchmarks/log_novelty.py [DATA]`.

DATA is a folder of pairs (BugSwarm's: `NAME/failed.log.gz`, `NAME/passed.log.gz`); without it the folder beside the
checkout is taken. The labelled cause is what the build tool itself marks: the line that names a failed test, and the
line after it, which says why. Goals: .96 of these lines kept, at no more than 1.5 % of all lines. Masks without the
nearness of words are measured beside it.
"""

from __future__ import annotations

import gzip
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from opsloop.incidents.logs.fingerprint import fingerprint
from opsloop.incidents.logs.lines import Line, read_lines
from opsloop.incidents.logs.novelty import Baseline, novel

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "operations" / "ci_bugswarm_pairs" / "dev"
GOAL_RECALL, GOAL_KEPT = 0.96, 0.015
# Surefire's and Gradle's mark of one failed test, not Surefire's sum of a class.
_FAILED = re.compile(r"^(?!.*Tests run:).*<<< (?:FAILURE|ERROR)!$|^\S+ > .+ FAILED$")


@dataclass(slots=True)
class Count:
    lines: int = 0
    kept: int = 0
    labels: int = 0
    found: int = 0

    def add(self, other: Count) -> None:
        self.lines, self.kept = self.lines + other.lines, self.kept + other.kept
        self.labels, self.found = self.labels + other.labels, self.found + other.found

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 1.0

    @property
    def share(self) -> float:
        return self.kept / self.lines


def read(file: Path) -> list[Line]:
    return list(read_lines([gzip.decompress(file.read_bytes())]))


def labels(lines: list[Line]) -> set[int]:
    marked = [at for at, line in enumerate(lines) if _FAILED.match(line.text)]
    after = (next((n for n in range(at + 1, len(lines)) if lines[n].text.strip()), at) for at in marked)
    return {lines[at].number for at in (*marked, *after)}


def count(lines: list[Line], kept: set[int]) -> Count:
    wanted = labels(lines)
    return Count(len(lines), len(kept), len(wanted), len(wanted & kept))


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    pairs = sorted(file.parent for file in folder.glob("*/failed.log.gz"))
    if not pairs:
        print(f"{folder} holds no NAME/failed.log.gz; name the folder of pairs", file=sys.stderr)
        return 2
    total, plain, spent_s = Count(), Count(), 0.0
    print(f"{'pair':56} {'lines':>6} {'kept':>5} {'share':>7} {'recall':>7}   masks alone: share, recall")
    for pair in pairs:
        failed, passed = read(pair / "failed.log.gz"), read(pair / "passed.log.gz")
        began = time.process_time()
        kept = {each.line.number for each in novel(failed, Baseline.of(passed), repeats=True)}
        spent_s += time.process_time() - began
        known = {fingerprint(line.text) for line in passed}
        ours = count(failed, kept)
        masks = count(failed, {line.number for line in failed if fingerprint(line.text) not in known})
        total.add(ours)
        plain.add(masks)
        print(
            f"{pair.name[:56]:56} {ours.lines:6} {ours.kept:5} {ours.share:7.2%} {ours.recall:7.3f}   "
            f"{masks.share:.2%}, {masks.recall:.3f}"
        )
    met = total.recall >= GOAL_RECALL and total.share <= GOAL_KEPT
    print(f"masks alone: {plain.share:.2%} kept, recall {plain.recall:.3f}")
    print(
        f"{'met' if met else 'MISSED'}: recall {total.recall:.3f} of {total.labels} lines (goal {GOAL_RECALL}) at "
        f"{total.share:.2%} of lines kept ({GOAL_KEPT:.1%}), {total.lines / spent_s:,.0f} lines/s"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
