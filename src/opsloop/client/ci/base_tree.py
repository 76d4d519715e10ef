"""The project's files as they are at another commit, beside those in the working tree."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from opsloop.core.errors import InvalidInput, NotFound

GIT_TIMEOUT_S = 120.0


class CommitMissing(NotFound):
    template = "git knows no commit {ref!r} in {folder}: fetch it first (with actions/checkout: `fetch-depth: 0`)"


@contextmanager
def at_commit(folder: Path, ref: str) -> Iterator[Path]:
    """`folder` as it is at the commit `ref`; the copy is gone afterwards. It may lack what came later.

    Raises: CommitMissing, InvalidInput when the folder is in no repository.
    """
    root = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    if ref.startswith("-"):
        raise CommitMissing(ref=ref, folder=folder)
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    except InvalidInput as error:
        raise CommitMissing(ref=ref, folder=folder) from error
    with TemporaryDirectory(prefix="opsloop-base-") as copy:
        with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", "--format=tar", commit))) as tree:
            tree.extractall(copy, filter="data")
        yield Path(copy) / folder.resolve().relative_to(root.resolve())


def _git(folder: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603 (no shell)
    except FileNotFoundError as error:
        raise InvalidInput("git is not installed; the flow of the base branch is read with it", field="git") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise InvalidInput(f"git {arguments[0]} in {folder}: {reason[-1] if reason else 'failed'}", field="git")
    return done.stdout
