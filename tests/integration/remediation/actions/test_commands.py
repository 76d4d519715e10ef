"""Allowed commands, really run: what they may, what they get to see, and that nothing else is ever started."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.settings import read
from opsloop.core.workspace import Workspace
from opsloop.incidents.models import Observed, Subject
from opsloop.remediation import autonomy, service
from opsloop.remediation.actions import command_run
from opsloop.remediation.commands import restricted
from opsloop.remediation.commands.allowed import AllowedCommand
from opsloop.remediation.commands.errors import ProgramMissing
from opsloop.remediation.commands.parsing import parse_command
from opsloop.remediation.commands.settings import CommandSettings
from opsloop.remediation.models import Level, Record, State
from opsloop.remediation.settings import RemediationSettings
from tests.integration.remediation import acting

LIMITS: dict[str, Any] = {"timeout_s": 20, "memory_bytes": 1 << 30}
PYTHON = sys.executable
STARTED: list[list[str]] = []
_WATCHED: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Whatever this process starts, by any way that Python has."""
    if not _WATCHED:
        return
    if event == "subprocess.Popen":
        STARTED.append([os.fsdecode(each) for each in arguments[1]])
    elif event in ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn"):
        STARTED.append([event, *map(str, arguments)])


sys.addaudithook(_watch)


@contextlib.contextmanager
def watching() -> Any:
    STARTED.clear()
    _WATCHED.append(True)
    try:
        yield STARTED
    finally:
        _WATCHED.clear()


def python(code: str, **limits: Any) -> restricted.Ran:
    return restricted.run((PYTHON, "-I", "-S", "-c", code), **LIMITS | limits)


def allow(workspace: Workspace, **commands: dict[str, Any]) -> None:
    found = {name: AllowedCommand.model_validate(each) for name, each in commands.items()}
    acting.set_section(workspace, CommandSettings(remediation_commands=found))


def trouble(workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, **parameters: Any) -> Any:
    playbook = acting.Trying("command.run", parameters)
    seen = Observed("alertmanager", "alert", "Down", "page", Subject(service="web"), "web is down", clock.now())
    with acting.only(monkeypatch, playbook):
        return acting.proposed(workspace, acting.open_incident(workspace, seen))


def test_a_command_gets_an_empty_place_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_API_KEY", "sk-very-secret")
    code = (
        "import os,sys; print(sorted(os.environ), os.listdir('.'), repr(sys.stdin.read()), os.getsid(0)==os.getpid())"
    )
    said = python(code).output
    # The interpreter that is the command here adds LC_CTYPE itself.
    assert said.replace("'LC_CTYPE', ", "") == "['PATH'] [] '' True\n"


def test_its_folder_is_gone_afterwards() -> None:
    folder = python("import os; open('x','w').write('y'); print(os.getcwd())").output.strip()
    assert folder.startswith("/")
    assert not Path(folder).exists()


def test_what_it_prints_is_kept_up_to_a_bound_and_redacted() -> None:
    ran = python("print('mail to ada@example.com'); print('x' * 200_000)")
    assert ran.is_cut
    assert len(ran.output) <= restricted.KEPT_BYTES
    assert ran.output.startswith("mail to [EMAIL]")


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("b'x' * (1 << 31)", {"memory_bytes": 1 << 28}),
        ("open('big','wb').write(b'x' * (1 << 27))", {}),
        ("[open('/dev/null') for _ in range(1000)]", {}),
    ],
)
def test_memory_files_and_open_files_are_limited(code: str, limits: dict[str, Any]) -> None:
    assert python(code, **limits).exit_code != 0


def test_it_is_ended_with_all_that_it_started_when_its_time_is_over(tmp_path: Path) -> None:
    sign = tmp_path / "child"
    child = f"import os,time; open({str(sign)!r},'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess,sys,time; subprocess.Popen([sys.executable,'-c',{child!r}])\nwhile True: time.sleep(1)"
    for timeout_s in (2, 8, 32):  # on a busy machine what it starts is not there so soon
        ran = python(code, timeout_s=timeout_s)
        assert (ran.is_timed_out, ran.exit_code) == (True, -9)
        if sign.exists():
            break
    assert not _lives(int(sign.read_text()))


def test_what_it_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess,sys; print(subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']).pid)"
    ran = python(code)
    assert (ran.is_timed_out, ran.exit_code) == (False, 0)
    assert not _lives(int(ran.output))


def _lives(pid: int) -> bool:
    """Whether it goes on; a kill takes a moment to be felt."""
    for _ in range(500):
        if not _runs(pid):
            return False
        time.sleep(0.01)
    return True


def _runs(pid: int) -> bool:
    """Whether it runs; what is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProgramMissing, match="no program named 'no-such-thing'"):
        restricted.run(("no-such-thing",), **LIMITS)


def test_a_command_is_shown_first_run_when_approved_and_taken_back(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "switch"
    allow(
        workspace,
        switch={
            "argv": ["touch", f"{tmp_path}/{{name}}"],
            "undo": ["rm", f"{tmp_path}/{{name}}"],
            "dry_run": ["echo", "would make", "{name}"],
            "parameters": {"name": "[a-z]+"},
        },
    )
    asked = trouble(workspace, clock, monkeypatch, command="switch", values={"name": "switch"})
    assert asked.preview is not None
    assert asked.preview.changes == (f"touch {file}", "would make switch")
    assert not file.exists()
    acting.approved(workspace, asked)
    assert acting.stepped(workspace, asked).state is State.CHECKING
    assert file.exists()
    assert acting.undone(workspace, asked).state is State.UNDONE
    assert not file.exists()


def test_a_template_that_changed_after_the_yes_is_not_run(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allow(workspace, make={"argv": ["true"]})
    asked = trouble(workspace, clock, monkeypatch, command="make")
    acting.approved(workspace, asked)
    allow(workspace, make={"argv": ["touch", f"{tmp_path}/made"]})
    assert acting.stepped(workspace, asked).state is State.VOID
    assert not (tmp_path / "made").exists()


def test_a_command_that_fails_or_is_not_allowed_says_so(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(workspace, fail={"argv": ["cat", "/no/such/file"]})
    asked = trouble(workspace, clock, monkeypatch, command="fail")
    assert asked.preview is not None
    assert asked.preview.holds == ("command fail has no undo",)
    acting.approved(workspace, asked)
    failed = acting.stepped(workspace, asked)
    assert failed.state is State.FAILED
    assert "exit code 1" in failed.outcome
    with pytest.raises(command_run.CommandMissing, match="no command named 'other' is allowed"):
        command_run.ACTION.preview(workspace, command_run.ACTION.parse({"command": "other"}))


def test_a_command_that_does_not_end_leaves_it_open_what_it_did(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(workspace, hang={"argv": ["sleep", "60"], "timeout_s": 0.3})
    asked = trouble(workspace, clock, monkeypatch, command="hang")
    acting.approved(workspace, asked)
    found = acting.stepped(workspace, asked)
    assert found.state is State.UNKNOWN
    assert "did not end within 0.3 s" in found.outcome


def test_a_setting_that_is_wrong_is_named_at_the_start() -> None:
    with pytest.raises(OpsloopError, match=r"setting remediation_commands\.x.*argv begins with"):
        read(CommandSettings, {"remediation_commands": {"x": {"argv": ["./y"]}}})


NASTY = (
    "; reboot",
    "$(reboot)",
    "`id`",
    "&& sh",
    "| sh",
    "\n reboot",
    "--help",
    "-rf",
    "../../etc",
    "'",
    '"',
    "\0",
    "\\",
)
VALUES = st.one_of(
    st.text(max_size=50),
    st.sampled_from(NASTY),
    st.builds(lambda a, b: a + b, st.text(max_size=9), st.sampled_from(NASTY)),
)
LINES = st.one_of(
    VALUES,
    st.builds(lambda a: f"echo unit {a}", VALUES),
    st.builds(lambda a, b: f"{a} echo unit web {b}", VALUES, VALUES),
    st.builds(lambda a: f"Run this to repair it:\n```sh\necho unit {a}\n```", VALUES),
)


def _is_allowed(words: list[str]) -> bool:
    """What may be started: our launcher with the program `echo`, the word `unit` and a value of its form."""
    launcher = words[:4] == [PYTHON, "-I", "-S", str(Path(restricted.__file__).with_name("_launch.py"))]
    program, rest = words[6], words[7:]
    value = rest[2] if len(rest) == 3 else ""
    is_plain = 0 < len(value) <= 20 and all(each in "abcdefghijklmnopqrstuvwxyz-" for each in value)
    return (
        launcher
        and program == restricted.program_of("echo")
        and rest[:2] == ["echo", "unit"]
        and is_plain
        and value[0] != "-"
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=VALUES, parameter=VALUES, value=VALUES, line=LINES)
def test_no_hostile_text_ever_starts_anything_that_is_not_allowed(
    workspace: Workspace, name: str, parameter: str, value: str, line: str
) -> None:
    """Names, parameters and values of playbooks, and lines as a model or a log has them, against the executor."""
    allow(workspace, say={"argv": ["echo", "unit", "{unit}"], "parameters": {"unit": "[a-z][a-z-]{0,19}"}})
    allowed = workspace.section(CommandSettings).remediation_commands
    tries: list[dict[str, Any]] = [
        {"command": name, "values": {parameter: value}},
        {"command": "say", "values": {parameter: value}},
        {"command": "say", "values": {"unit": value}},
    ]
    with contextlib.suppress(OpsloopError):
        call = parse_command(line, allowed)
        tries.append({"command": call.name, "values": call.values})
    with watching() as started:
        for each in tries:
            with contextlib.suppress(OpsloopError):
                parameters = command_run.ACTION.parse(each)
                command_run.ACTION.preview(workspace, parameters)
                command_run.ACTION.act(workspace, parameters, key="k", why="w")
    assert all(map(_is_allowed, started)), started


def test_the_watch_of_the_test_before_sees_what_is_started(workspace: Workspace) -> None:
    allow(workspace, say={"argv": ["echo", "unit", "{unit}"], "parameters": {"unit": "[a-z]+"}})
    with watching() as started:
        done = command_run.ACTION.act(
            workspace, command_run.ACTION.parse({"command": "say", "values": {"unit": "web"}}), key="k", why="w"
        )
    assert len(started) == 1
    assert _is_allowed(started[0])
    assert done.sentence == "echo unit web ended well: unit web"


@pytest.mark.parametrize("given", [{"undo": ["true"], "destroys": True}, {"undo": []}])
def test_what_needs_a_person_is_not_rehearsed_either(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, Any]
) -> None:
    allow(workspace, make={"argv": ["touch", f"{tmp_path}/made"], **given})
    with acting.only(monkeypatch, acting.Trying("command.run", {})), pytest.raises(InvalidInput, match="not rehearsed"):
        service.rehearse(workspace, acting.OPERATOR, "try-it", {"command": "make"})
    assert not (tmp_path / "made").exists()


def test_a_command_that_is_taken_back_is_rehearsed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = f"{tmp_path}/made"
    allow(workspace, make={"argv": ["touch", file], "undo": ["rm", file]})
    with acting.only(monkeypatch, acting.Trying("command.run", {})):
        begun = service.rehearse(workspace, acting.OPERATOR, "try-it", {"command": "make"})
    assert acting.stepped(workspace, begun).state is State.UNDOING
    assert acting.stepped(workspace, begun).state is State.REHEARSED
    assert not Path(file).exists()


def test_level_five_is_not_for_a_command_without_an_undo(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(workspace, make={"argv": ["true"]}, back={"argv": ["true"], "undo": ["true"]})
    earned = Record(successes=40, since_failure=40, undo_proven_at=clock.now(), lower_bound=0.92)
    monkeypatch.setattr(autonomy, "record", lambda *_, **__: earned)
    acting.set_section(workspace, RemediationSettings(remediation_levels={"*": 5}))
    asked = trouble(workspace, clock, monkeypatch, command="make")
    assert (asked.level, asked.state) == (Level.SCRIPT, State.PROPOSED)
    assert asked.why_level == ("command make has no undo",)


def test_a_command_whose_process_was_killed_is_never_run_again(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allow(workspace, make={"argv": ["touch", f"{tmp_path}/made"]})
    asked = trouble(workspace, clock, monkeypatch, command="make")
    acting.approved(workspace, asked)
    acting.announced(workspace, asked)
    found = acting.stepped(workspace, asked)
    assert found.state is State.UNKNOWN
    assert not (tmp_path / "made").exists()
