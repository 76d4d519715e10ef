"""A bare remote and a working clone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """
    Args:
        remote: where the bare repository is made; work: the clone.
    """

    def __init__(self, remote: Path, work: Path) -> None:
        self.remote = remote
        self.work = work
        git(remote.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
        git(remote.parent, "clone", "--quiet", str(remote), str(work))

    def push(self, branch: str, subject: str) -> str:
        """Commit everything on a branch and push it; returns the commit."""
        if git(self.work, "branch", "--list", branch) or not _has_commits(self.work):
            git(self.work, "checkout", "--quiet", "-B", branch)
        else:
            git(self.work, "checkout", "--quiet", "-b", branch)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", subject)
        git(self.work, "push", "--quiet", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    def switch(self, branch: str) -> None:
        git(self.work, "checkout", "--quiet", branch)


def git(folder: Path, *words: str) -> str:
    """One git command with an identity of its own, whatever this machine's is."""
    who = {f"GIT_{role}_NAME": "Ada" for role in ("AUTHOR", "COMMITTER")}
    mail = {f"GIT_{role}_EMAIL": "ada@example.com" for role in ("AUTHOR", "COMMITTER")}
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env={**os.environ, **who, **mail, **plain},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def _has_commits(folder: Path) -> bool:
    return bool(git(folder, "for-each-ref", "refs/heads"))
