"""A model behind an endpoint under load: another takes its place, and its process is killed."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.models import service as models
from opsloop.models.candidate import Candidate
from opsloop.models.signature import Task
from opsloop.monitoring import records
from opsloop.monitoring.predictions import service as predictions
from opsloop.releases import service as releases
from tests.acceptance.gateway.test_killed import start
from tests.unit.models.made import candidate, iris, iris_candidate

BY = Caller("test:operator", Role.ADMIN)
CONNECTIONS = 32
BODY = json.dumps({"inputs": [[5.1, 3.5, 1.4, 0.2]]}).encode()
REQUEST = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


def release(workspace: Workspace, candidate: Candidate) -> str:
    with workspace.writing(BY) as uow:
        version = models.register(uow, "iris", candidate)
    with workspace.writing(BY) as uow:
        if version.version == 1:
            releases.create_endpoint(uow, "iris")
        return releases.create_release(uow, "iris", model=version.ref, strategy="blue-green").release.id


class Load:
    """Connections that ask until they are told to stop or the server is gone."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Condition()
        self._is_over = False
        self.answered: dict[str, str] = {}
        """Releases by the ids of the requests that were answered to the end."""
        self.wrong: list[bytes] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=60) as connection:
            answers = connection.makefile("rb")
            while not self._is_over:
                try:
                    connection.sendall(REQUEST)
                    status = answers.readline()
                    length = 0
                    while (line := answers.readline().lower()) not in (b"\r\n", b""):
                        if line.startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    body = answers.read(length)
                except OSError:
                    break
                if not length or len(body) < length:
                    break
                self._note(status, body)
            answers.close()

    def _note(self, status: bytes, body: bytes) -> None:
        with self._lock:
            said = json.loads(body)
            if b" 200 " in status and said["predictions"] == [0]:
                self.answered[said["request_id"]] = said["release"]
            else:
                self.wrong.append(status + body)
            self._lock.notify_all()

    def wait_until(self, claim: Callable[[], bool]) -> None:
        with self._lock:
            assert self._lock.wait_for(claim, 120)

    def stop(self) -> None:
        self._is_over = True
        self.join()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def settings(tmp_path: Path) -> CoreSettings:
    return CoreSettings(data_dir=tmp_path / "data")


def stored(settings: CoreSettings) -> tuple[Counter[str], Counter[str]]:
    """How often requests are in the records, and their rows among the predictions."""
    workspace = open_workspace(settings)
    kept: Counter[str] = Counter()
    with workspace.reading(BY) as uow:
        after = 0
        while found := records.since(uow, "iris", None, after, 10_000):
            kept.update(record.request_id for _, record in found)
            after = found[-1][0]
        rows = Counter(each.request_id for each in predictions.newest(uow, "iris", limit=100_000))
    workspace.close()
    return kept, rows


@pytest.mark.slow
def test_another_model_takes_over_and_no_request_is_dropped(settings: CoreSettings) -> None:
    workspace = open_workspace(settings)
    first = release(workspace, iris_candidate())
    process, port = start(settings.data_dir)
    load = Load(port)
    load.wait_until(lambda: len(load.answered) > 500)
    X, y = iris()
    second = release(workspace, candidate(LogisticRegression(C=0.5, max_iter=500), X, y, Task.CLASSIFICATION))
    load.wait_until(lambda: Counter(load.answered.values())[second] > 500)
    with workspace.writing(BY) as uow:
        releases.roll_back(uow, "iris")
    came_back = len(load.answered)
    load.wait_until(lambda: list(load.answered.values())[-500:] == [first] * 500 and len(load.answered) > came_back)
    load.stop()
    workspace.close()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert load.wrong == []
    assert set(load.answered.values()) == {first, second}
    kept, rows = stored(settings)
    assert set(kept) == set(rows) == set(load.answered)
    assert set(kept.values()) == set(rows.values()) == {1}


@pytest.mark.slow
def test_no_acknowledged_prediction_is_lost_or_doubled_by_sigkill(settings: CoreSettings) -> None:
    workspace = open_workspace(settings)
    release(workspace, iris_candidate())
    workspace.close()
    answered: list[str] = []
    for enough in (1, 40, 700, 3000):
        process, port = start(settings.data_dir)
        load = Load(port)
        load.wait_until(lambda load=load, enough=enough: len(load.answered) >= enough)  # type: ignore[misc]
        process.kill()
        process.communicate()
        load.join()
        assert load.wrong == []
        answered += load.answered
    process, _port = start(settings.data_dir)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    kept, rows = stored(settings)
    assert [each for each in answered if kept[each] != 1 or rows[each] != 1] == []
    assert set(kept.values()) == {1}
    assert list((settings.data_dir / "spool").iterdir()) == []
