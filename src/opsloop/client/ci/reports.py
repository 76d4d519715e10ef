"""The files a pipeline keeps of a check: reports for people and for CI, and what came out for the next step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from opsloop.client.ci.checks import Check
from opsloop.client.http import Client

COMMENT = "report.md"
RESULT = "result.json"
_FORMS = {"report.html": "html", COMMENT: "markdown", "junit.xml": "junit", "report.json": "json", "rows.csv": "csv"}


def write(client: Client, check: Check, folder: Path) -> dict[str, str]:
    """Write all forms of the report and `result.json`; returns what is in the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    baseline = check.baseline.id if check.baseline is not None else None
    for name, form in _FORMS.items():
        document = client.evaluations.report(check.run.id, form=form, baseline=baseline)
        if name == COMMENT and check.note:
            document = f"{check.note[0].upper()}{check.note[1:]}.\n\n".encode() + document
        (folder / name).write_bytes(document)
    found = result(check)
    (folder / RESULT).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found


def result(check: Check) -> dict[str, str]:
    """What the next step may ask for; all texts, since outputs of a step are.

    `release` is `yes` when the gate passed and there is something new to release.
    """
    return {
        "run": check.run.id,
        "flow": check.run.flow,
        "baseline": check.baseline.id if check.baseline is not None else "",
        "verdict": check.verdict.value if check.verdict is not None else "",
        "release": "yes" if check.is_good() and check.is_new else "no",
        "sentence": check.gate.sentence if check.gate is not None else check.note,
    }


def tell_surroundings(folder: Path, found: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """Hand the outcome to the CI system around: GitHub's summary and outputs; for Azure lines to print, returned.

    Values are on one line each: a line break in one would make another output of its rest.
    """
    outputs = {name: " ".join(value.split()) for name, value in found.items() if name != "sentence"}
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("ab") as file:
            file.write((folder / COMMENT).read_bytes())
    if target := environment.get("GITHUB_OUTPUT"):
        with Path(target).open("a", encoding="utf-8") as lines:
            lines.writelines(f"{name}={value}\n" for name, value in outputs.items())
    if environment.get("TF_BUILD"):
        set_ = [f"##vso[task.setvariable variable={name};isOutput=true]{value}" for name, value in outputs.items()]
        return [*set_, f"##vso[task.uploadsummary]{(folder / COMMENT).resolve()}"]
    return []
