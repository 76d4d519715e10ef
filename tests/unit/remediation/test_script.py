"""Scripts of level 4: whatever stands in a name, it is one word of one command."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opsloop.remediation.levels.commands import lines
from opsloop.remediation.levels.script import script

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(st.lists(words, min_size=1, max_size=4), words)
def test_a_script_runs_its_commands_with_the_words_that_were_given(argv: list[str], title: str) -> None:
    made = script(
        title, because=(title,), changes=(title,), commands=[("printf", "%s\\0", *argv)], undo=(), incident=None
    )
    ran = subprocess.run(["/bin/sh", "-c", made], input=b"y\n", capture_output=True, check=True, timeout=60)
    assert ran.stdout.endswith("".join(f"{each}\0" for each in argv).encode())


def test_without_a_yes_nothing_runs(tmp_path: Path) -> None:
    made = script("Do it", because=(), changes=(), commands=[("touch", "made")], undo=(), incident=None)
    for answer in (b"n\n", b"", b"yes\n"):
        ran = subprocess.run(["/bin/sh", "-c", made], input=answer, capture_output=True, cwd=tmp_path, timeout=60)
        assert ran.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_what_did_not_help_is_undone(tmp_path: Path) -> None:
    made = script("Do it", because=(), changes=(), commands=[("touch", "a b")], undo=[("rm", "a b")], incident=None)
    for answers, left in ((b"y\ny\n", ["a b"]), (b"y\nn\n", [])):
        subprocess.run(["/bin/sh", "-c", made], input=answers, check=True, cwd=tmp_path, timeout=60)
        assert [each.name for each in tmp_path.iterdir()] == left


def test_commands_are_quoted() -> None:
    assert lines([("opsloop", "release", "rollback", "a; rm -rf /")]) == ("opsloop release rollback 'a; rm -rf /'",)
