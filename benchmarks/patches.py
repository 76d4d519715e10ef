"""Slips in workflows that people wrote, and what a patch makes of them: `python benchmarks/patches.py [FOLDER]`.

FOLDER holds workflows that are right, by default actionlint's (testdata/ok) beside the checkout; those that GitHub's
schema refuses before the slip are left out. Into each, one slip at a time is put, and GitHub's sentence of it is
diagnosed with the file. Counted is how many patches give the file back to the letter, how many slips get none, and how
many patches give anything else. Goals: none of the last, and at least .95 given back.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis.engine import diagnose
from opsloop.incidents.diagnosis.patches import making
from opsloop.incidents.diagnosis.patches.linters import github_schema

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "operations" / "workflow_yaml" / "dev" / "ok"
GOAL = 0.95
SAID = "##[error]The workflow is not valid. .github/workflows/a.yml (Line: 1, Col: 1): "
KEYS = (
    *(("runs-on:", "run-on:"), ("runs-on:", "runs_on:"), ("steps:", "step:"), ("strategy:", "stratgy:")),
    *(("matrix:", "matrx:"), ("timeout-minutes:", "timeout-minute:"), ("defaults:", "default:"), ("env:", "envs:")),
)
CONTEXTS = (("matrix.", "matirx."), ("github.", "gihtub."), ("needs.", "need."))


def right_ones(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.y*ml")):
        text = file.read_text()
        try:
            documents = making.read(text)
        except InvalidInput:
            continue
        if any(map(github_schema.fits, documents)) and github_schema.passes(documents, text):
            yield text


def slips(text: str) -> Iterator[tuple[str, str]]:
    """(the file with a slip, what GitHub says of it)"""
    for key, slip in KEYS:
        if f" {key}" in text:
            yield text.replace(f" {key}", f" {slip}", 1), SAID + f"Unexpected value '{slip[:-1]}'\n"
    for context, slip in CONTEXTS:
        if f"${{{{ {context}" in text:
            said = f"Unrecognized named-value: '{slip.rstrip('.')}'. Located at position 1 within expression\n"
            yield text.replace(f"${{{{ {context}", f"${{{{ {slip}", 1), SAID + said


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    if not folder.is_dir():
        print(f"no workflows at {folder}; give a folder of them as an argument", file=sys.stderr)
        return 2
    counts: Counter[str] = Counter()
    files = 0
    for text in right_ones(folder):
        files += 1
        for wrong, said in slips(text):
            patch = diagnose([said.encode()], workflow=wrong).yaml_patch
            mended = None if patch is None else making.applied(wrong, patch)
            counts["none" if mended is None else "right" if mended == text else "other"] += 1
    total = sum(counts.values())
    share = counts["right"] / total if total else 0.0
    met = total > 0 and share >= GOAL and not counts["other"]
    print(
        f"{'met' if met else 'MISSED'}: of {total} slips in {files} workflows {share:.2f} are given back to the letter "
        f"(goal {GOAL}), {counts['none']} get no patch, {counts['other']} another one (goal 0)"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
