"""`opsloop doctor`: check an installation and a project; every fault comes with what to do."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.client.project import Project

OLDEST_PYTHON = (3, 11)
# Below this a database and a spool have no room to work; half of it is worth a word.
DISK_NEEDED_BYTES = 500_000_000
# What each extra brings, and for what.
EXTRAS = {"data": ("duckdb", "registering datasets"), "rag": ("numpy", "searching documents and judging evaluations")}
OPEN = "opsloop.core.opening:open_workspace"
State = Literal["ok", "warning", "broken"]
MARKS: dict[State, str] = {"ok": "✓", "warning": "~", "broken": "✕"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` says what to do when it is not ok."""

    check: str
    state: State
    found: str
    advice: str = ""


@lone("doctor", example="opsloop doctor --json")
def doctor(session: Session) -> None:
    """Check this installation and this project. Exit code 1 when something is broken."""
    from opsloop.core.errors import Failed

    findings = [_python(), *_extras(), *_project(session)]
    broken = [each for each in findings if each.state == "broken"]
    session.answer({"ok": not broken, "findings": findings}, lambda: "\n".join(map(_line, findings)))
    if broken:
        raise Failed(f"{len(broken)} of {len(findings)} checks found something broken; the first: {broken[0].found}")


def _line(finding: Finding) -> str:
    line = f"{MARKS[finding.state]} {finding.check:<12}  {finding.found}"
    return f"{line}; {finding.advice}" if finding.advice else line


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "broken", f"Python {version}", "install Python 3.11 or newer")
    return Finding("python", "ok", f"Python {version}")


def _extras() -> list[Finding]:
    def finding(extra: str, module: str, purpose: str) -> Finding:
        if find_spec(module) is not None:
            return Finding(f"extra {extra}", "ok", f"{module} is installed")
        found = f"{module} is not installed: {purpose} does not work"
        return Finding(f"extra {extra}", "warning", found, f"pip install 'opsloop[{extra}]'")

    return [finding(extra, module, purpose) for extra, (module, purpose) in EXTRAS.items()]


def _project(session: Session) -> list[Finding]:
    """What can only be looked at once the project's file can be read."""
    from opsloop.core.errors import OpsloopError

    try:
        project = session.project
    except OpsloopError as error:
        return [Finding("project", "broken", error.sentence)]
    named = str(project.folder / "opsloop.yaml") if project.lines else f"no opsloop.yaml in {project.folder} or above"
    checks = (_folder, _disk, _workspace, _port)
    return [Finding("project", "ok", named), *(_guarded(check, project) for check in checks)]


def _guarded(check: Callable[[Project], Finding], project: Project) -> Finding:
    from opsloop.core.errors import OpsloopError

    try:
        return check(project)
    except (OpsloopError, OSError) as error:
        return Finding(check.__name__.strip("_"), "broken", str(error))


def _folder(project: Project) -> Finding:
    import tempfile

    from opsloop.client.local import core_settings

    folder = core_settings(project).data_dir
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=nearest):
            pass
    except OSError as error:
        found = f"{folder} cannot be written ({error.strerror})"
        return Finding("data folder", "broken", found, "fix its rights, or choose another with OPSLOOP_DATA_DIR")
    return Finding("data folder", "ok", str(folder) if folder.exists() else f"{folder} is made at the first start")


def _disk(project: Project) -> Finding:
    from opsloop.client.local import core_settings

    folder = core_settings(project).data_dir
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    found = f"{free / 1e9:.1f} GB free for {folder}"
    if free < DISK_NEEDED_BYTES / 2:
        return Finding("disk", "broken", found, "make room: a database that cannot grow stops everything")
    if free < DISK_NEEDED_BYTES:
        return Finding("disk", "warning", found, "make room soon")
    return Finding("disk", "ok", found)


def _workspace(project: Project) -> Finding:
    """The database opens and is whole, its schema is this version's, the signing key is readable."""
    from opsloop.client.local import core_settings

    settings = core_settings(project)
    if settings.database_url is None and not (settings.data_dir / "state.db").exists():
        return Finding("database", "ok", "is made at the first start")
    workspace = resolve_name(OPEN)(settings, file_values=project.settings)
    try:
        workspace.database.check()
        workspace.database.examine()
        return Finding("database", "ok", f"{workspace.database.where} opens, schema and signing key are good")
    finally:
        workspace.close()


def _port(project: Project) -> Finding:
    from opsloop.client.local import core_settings
    from opsloop.core.lock import holder_of

    settings = core_settings(project)
    holder = holder_of(settings.data_dir)
    if holder is not None:
        return Finding("platform", "ok", f"runs as process {holder.pid} at {holder.url or 'no address'}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            found = f"port {settings.port} on {settings.host} cannot be used ({error.strerror})"
            return Finding("port", "warning", found, "choose another with OPSLOOP_PORT")
    return Finding("port", "ok", f"port {settings.port} on {settings.host} is free")
