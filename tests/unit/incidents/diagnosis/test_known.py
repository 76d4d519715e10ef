"""Signatures: each fits its examples and no other's, and a team brings its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis import engine, known
from opsloop.incidents.diagnosis.known import Signature

EXAMPLES = [(each, line) for each in known.ours() for line in each.examples]


def test_names_are_told_apart() -> None:
    names = [each.name for each in known.ours()]
    assert len(names) == len(set(names)) > 30


@pytest.mark.parametrize(("signature", "line"), EXAMPLES, ids=lambda each: getattr(each, "name", None))
def test_a_signature_fits_its_examples_and_no_other_does(signature: Signature, line: str) -> None:
    assert [each.name for each in known.ours() if each.pattern.search(line)] == [signature.name]


@pytest.mark.parametrize(("signature", "line"), EXAMPLES, ids=lambda each: getattr(each, "name", None))
def test_an_example_in_a_failing_step_is_diagnosed_as_its_signature(signature: Signature, line: str) -> None:
    log = f"##[group]Run make\nworking\n{line}\n##[error]Process completed with exit code 1.\n"
    found = engine.diagnose([log.encode()])
    assert (found.category, found.evidence[0].line) == (signature.category, 3)
    assert "{" not in found.root_cause.replace(line.strip(), "")


def test_what_looks_like_a_field_in_a_log_stays_text() -> None:
    found = known.match("ModuleNotFoundError: No module named 'line'", known.ours())
    assert found is not None
    assert found.fill("{module} {line}").startswith("line ModuleNotFoundError")
    hostile = known.match("SyntaxError: {line}{line.__class__}", known.ours())
    assert hostile is not None
    assert hostile.fill("{what}") == "{line}{line.__class__}"


def team(folder: Path, text: str) -> Path:
    (folder / "ours.yaml").write_text(text)
    return folder


def test_a_team_adds_a_cause_of_its_own(tmp_path: Path) -> None:
    folder = team(
        tmp_path,
        "- {name: vault-sealed, pattern: 'vault: sealed', category: secrets, root_cause: The vault is sealed.,"
        " fix: [Unseal it.], confirm: Ask vault for its state., examples: ['vault: sealed']}",
    )
    found = engine.diagnose([b"a\nvault: sealed\n"], signatures=known.with_team([folder]))
    assert (found.root_cause, found.fix, found.evidence[0].line) == ("The vault is sealed.", ("Unseal it.",), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not YAML"),
        ("a: b", "wanted a list of signatures"),
        ("- {name: x}", "wanted a mapping with name, pattern"),
        ("- {name: x, pattern: '(', category: c, root_cause: r, fix: [], confirm: c, examples: []}", "pattern"),
        ("- {name: x, pattern: y, category: c, root_cause: r, fix: [], confirm: c, examples: [z]}", "examples"),
        ("- {name: x, pattern: y, category: c, root_cause: r, fix: [], confirm: c, examples: [], z: 1}", r"\.z"),
    ],
)
def test_a_wrong_file_is_named_with_its_entry(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        known.with_team([team(tmp_path, text)])
