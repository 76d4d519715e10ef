"""What is behind the arms, flows and models: loaded before traffic moves to it, kept warm after it moved away."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import Workspace
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.service import load_frozen
from opsloop.gateway.errors import NotAFlow, NotAModel, ReleaseUnusable
from opsloop.gateway.predicting.predictor import Predictor
from opsloop.releases.routing import BELL, Arm

log = structlog.get_logger()
# Kept when no route names them any more: the ways back.
KEPT_WARM = 8
RETRY_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Unusable:
    """What could not be loaded, and when that was tried."""

    reason: str
    tried_s: float


Served = LoadedFlow | Predictor


def key_of(arm: Arm) -> str:
    """What arms share that serve the same: a flow. A model is watched for each release of its own."""
    return arm.serves_digest if arm.kind == "flow" else arm.release


class Arms:
    """What serves, by its key. `prepare` is called by one thread, the rest by any."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._found: OrderedDict[str, Served | Unusable] = OrderedDict()
        self._loading: set[str] = set()
        self._loaders = ThreadPoolExecutor(2, thread_name_prefix="load-release")

    def prepare(self, arm: Arm, endpoint: str) -> bool:
        """See to it that what the arm serves gets loaded; whether that is over, well or not."""
        key = key_of(arm)
        with self._lock:
            found = self._found.get(key)
            if isinstance(found, Served):
                self._found.move_to_end(key)
                return True
            if key not in self._loading and (found is None or self._is_old(found)):
                self._loading.add(key)
                self._loaders.submit(self._load, arm, endpoint).add_done_callback(_complain)
            return found is not None

    @property
    def has_unusable(self) -> bool:
        """Whether something waits for another try."""
        with self._lock:
            return any(isinstance(found, Unusable) for found in self._found.values())

    def flow(self, arm: Arm, endpoint: str) -> LoadedFlow:
        """Raises: ReleaseUnusable, NotAFlow."""
        found = self._served(arm, endpoint)
        if isinstance(found, LoadedFlow):
            return found
        raise NotAFlow(endpoint=endpoint)

    def model(self, arm: Arm, endpoint: str) -> Predictor:
        """Raises: ReleaseUnusable, NotAModel."""
        found = self._served(arm, endpoint)
        if isinstance(found, Predictor):
            return found
        raise NotAModel(endpoint=endpoint)

    def _served(self, arm: Arm, endpoint: str) -> Served:
        found = self._found.get(key_of(arm))
        if isinstance(found, Served):
            return found
        reason = "it is not loaded yet" if found is None else found.reason
        raise ReleaseUnusable(endpoint=endpoint, number=arm.number, reason=reason)

    def forget_all_but(self, named: set[str]) -> None:
        """Let go of what no route names, by its key, but for what was named last."""
        with self._lock:
            unnamed = [key for key in self._found if key not in named]
            let_go = [self._found.pop(key) for key in unnamed[: max(0, len(unnamed) - KEPT_WARM)]]
        for each in let_go:
            if isinstance(each, Predictor):
                self._loaders.submit(each.close).add_done_callback(_complain)

    def close(self) -> None:
        self._loaders.shutdown(wait=True, cancel_futures=True)
        for each in self._found.values():
            if isinstance(each, Predictor):
                each.close()

    def _is_old(self, found: Served | Unusable) -> bool:
        return isinstance(found, Unusable) and self._workspace.clock.monotonic_s() - found.tried_s > RETRY_AFTER_S

    def _load(self, arm: Arm, endpoint: str) -> None:
        found: Served | Unusable
        try:
            if arm.kind == "model":
                from opsloop.gateway.predicting.loading import predictor_of  # ONNX Runtime and NumPy, extras

                found = predictor_of(self._workspace, arm, endpoint)
            else:
                found = load_frozen(self._workspace, arm.serves_digest)
        except Exception as error:  # importing a user's Python can fail in any way; the arm then fails, not the gateway
            reason = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
            log.exception("release_unusable", release=arm.release, serves=arm.serves)
            found = Unusable(reason, self._workspace.clock.monotonic_s())
        with self._lock:
            self._found[key_of(arm)] = found
            self._loading.discard(key_of(arm))
        self._workspace.bell(BELL).ring()


def _complain(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("loader_failed", exc_info=error)
