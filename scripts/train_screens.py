"""Train a screen's light model and write its weights: `python scripts/train_screens.py injection|content DATA`.

DATA holds the folders `guardrails` and `retrieval` of labelled texts. The threshold is chosen on rows that the training
did not see: five folds, each row scored by the model of the other four. Then a model of all rows is written.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    from _wording import unseen_scores, write  # their folder is on the path only now

    screen, data = arguments
    given = importlib.import_module(f"_{screen}_rows")
    rows = given.read(Path(data))
    found = given.passages_of(rows)
    scores = unseen_scores(rows, found, given.C)
    threshold = given.threshold(rows, scores)
    file = ROOT / "src" / "opsloop" / "guardrails" / screen / "weights.bin"
    write(file, rows, found, c=given.C, threshold=threshold, sources=given.SOURCES)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size} bytes from {len(rows)} rows, threshold {threshold}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
