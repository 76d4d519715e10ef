"""A team's own playbooks, from YAML files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.settings import read
from opsloop.core.workspace import Workspace
from opsloop.incidents.models import Observed, Subject
from opsloop.remediation import autonomy, proposing
from opsloop.remediation.commands.allowed import AllowedCommand
from opsloop.remediation.commands.settings import CommandSettings
from opsloop.remediation.playbooks.declared import read_folder
from opsloop.remediation.playbooks.settings import PlaybookSettings
from tests.integration.remediation import acting

RESTART = """\
name: restart-chat
title: Restart the chat workers
when:
  signal: {kind: alert, name: "Chat*", subject: "service:chat*"}
questions: [Does a restart lose conversations?]
checklist: [Look at the queue, Restart the workers]
action:
  kind: command.run
  parameters: {command: restart, values: {unit: "{label.unit}"}}
"""


def declare(workspace: Workspace, folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    acting.set_section(workspace, PlaybookSettings(remediation_playbooks=folder))
    unit = AllowedCommand(argv=["echo", "{unit}"], parameters={"unit": "[a-z]+"})
    acting.set_section(workspace, CommandSettings(remediation_commands={"restart": unit}))


def begun(workspace: Workspace, clock: FakeClock, name: str = "ChatDown", unit: str = "worker") -> str:
    subject = Subject(service="chat-eu", labels={"unit": unit} if unit else {})
    return acting.open_incident(workspace, Observed("am", "alert", name, "page", subject, "chat is down", clock.now()))


def test_a_declared_playbook_is_proposed_with_values_of_the_signal(
    workspace: Workspace, clock: FakeClock, tmp_path: Path
) -> None:
    declare(workspace, tmp_path, restart=RESTART)
    asked = acting.proposed(workspace, begun(workspace, clock), "restart-chat")
    assert asked.target == "service/chat-eu"
    assert asked.parameters == {"command": "restart", "values": {"unit": "worker"}}
    assert asked.preview is not None
    assert asked.preview.changes == ("echo worker",)
    with workspace.reading(acting.OPERATOR) as uow:
        assert "restart-chat" in [each.playbook for each in autonomy.standings(uow)]


def test_a_hostile_label_is_one_value_or_nothing(workspace: Workspace, clock: FakeClock, tmp_path: Path) -> None:
    declare(workspace, tmp_path, restart=RESTART)
    asked = acting.proposed(workspace, begun(workspace, clock, unit="worker; reboot"), "restart-chat")
    assert asked.action == ""
    assert any("its dry run failed: command restart: unit: is 'worker; reboot'" in each for each in asked.why_level)


@pytest.mark.parametrize(("name", "unit"), [("DiskFull", "worker"), ("ChatDown", "")])
def test_it_does_not_fit_another_signal_or_one_without_the_value(
    workspace: Workspace, clock: FakeClock, tmp_path: Path, name: str, unit: str
) -> None:
    declare(workspace, tmp_path, restart=RESTART)
    found = proposing.propose(workspace, begun(workspace, clock, name, unit))
    assert [each.playbook for each in found] == ["ask-around"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RESTART.replace("title:", "titel:"), r"bad\.yaml: title: .*field required"),
        (RESTART.replace("restart-chat", "Restart Chat"), r"bad\.yaml: name: is 'Restart Chat'"),
        (RESTART.replace("command.run", "command.ran"), r"bad\.yaml: action\.kind: is 'command\.ran'; wanted one of"),
        (
            RESTART.replace("command: restart", "cmd: restart"),
            r"bad\.yaml: action\.parameters: is 'cmd'; wanted one of",
        ),
        (RESTART.replace("command: restart, ", ""), r"bad\.yaml: action\.parameters\.command: is missing"),
        (
            RESTART.replace("{label.unit}", "x-{label.unit}"),
            r"bad\.yaml: action\.parameters\.values\.unit: .*as a whole",
        ),
        (RESTART.replace("{label.unit}", "{signal.text}"), r"values\.unit: is '{signal\.text}'"),
        (RESTART.replace("kind: alert", "sort: alert"), r"bad\.yaml: when\.signal\.sort"),
        ("a: &a [1]\nb: *a\n", r"bad\.yaml: is no playbook in YAML \(aliases are not read\)"),
        ("a: [", r"bad\.yaml: is no playbook in YAML"),
        ("- 1\n", r"bad\.yaml: playbook"),
        (RESTART.replace("restart-chat", "ask-around"), "a name that no other playbook has"),
        ("#" * 100_001, r"bad\.yaml: is '100,001 bytes'; wanted at most 100,000 bytes"),
        ("!!python/object/apply:os.system [id]", r"bad\.yaml"),
    ],
)
def test_what_is_wrong_is_named_and_an_incident_does_not_wait_for_it(
    workspace: Workspace, clock: FakeClock, tmp_path: Path, text: str, said: str
) -> None:
    declare(workspace, tmp_path, bad=text)
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(InvalidInput, match=said):
        autonomy.standings(uow)
    found = proposing.propose(workspace, begun(workspace, clock))
    assert [each.playbook for each in found] == ["ask-around"]


def test_two_files_of_one_name_and_a_folder_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    declare(workspace, tmp_path, a=RESTART, b=RESTART)
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(InvalidInput, match="no other file has"):
        autonomy.standings(uow)
    acting.set_section(workspace, PlaybookSettings(remediation_playbooks=tmp_path / "none"))
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(InvalidInput, match="a folder that is there"):
        autonomy.standings(uow)


def test_the_examples_of_the_page_are_a_playbook_and_a_command(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/let-repairs-act.md").read_text()
    (yaml,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "page.yaml").write_text(yaml)
    (declared,) = read_folder(tmp_path)
    assert declared.action == "command.run"
    (commands,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    found = read(CommandSettings, {"remediation_commands": json.loads(commands)}).remediation_commands
    assert found["restart-unit"].words({"unit": "worker-2.service"}) == ("systemctl", "restart", "worker-2.service")
