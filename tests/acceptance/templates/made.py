"""A project made from a template, its commands run in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.acceptance.in_process import Said, run


class Made:
    """A project made from a template."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str) -> Said:
        return run(*words, "--json", "--project", str(self.folder))

    def flow(self, name: str, **inputs: str) -> dict[str, Any]:
        """The outputs of one run of a flow."""
        given = [word for key, value in inputs.items() for word in ("--input", f"{key}={value}")]
        said = self("flow", "run", str(self.folder / "flows" / name), *given)
        assert said.code == 0, said.err
        outputs: dict[str, Any] = said.answer["outputs"]
        return outputs

    def evaluated(self) -> dict[str, Any]:
        said = self("eval", "run", str(self.folder / "experiment.yaml"))
        assert said.code == 0, said.err
        return said.answer

    def refused(self, *, says: str = "Gate failed") -> Said:
        """The verdict of the gate on the changed flow, which `opsloop apply` did not release."""
        said = self("apply")
        assert said.code == 6, said.err
        assert f"is not released. {says}" in said.err
        (outcome,) = said.answer["outcomes"]
        return self("gate", "check", outcome["run"]["id"])

    def change(self, file: str, before: str, after: str) -> None:
        """Change one thing in a file of the project."""
        place = self.folder / file
        text = place.read_text()
        assert text.count(before) == 1, f"{before!r} stands in {file} {text.count(before)} times"
        place.write_text(text.replace(before, after))
