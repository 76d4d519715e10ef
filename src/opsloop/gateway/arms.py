"""The flows behind the arms: loaded before traffic moves to them, kept warm after it moved away."""

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
from opsloop.gateway.errors import ReleaseUnusable
from opsloop.releases.routing import BELL, Arm

log = structlog.get_logger()
# Flows that are kept when no route names them any more: the ways back.
KEPT_WARM = 8
RETRY_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Unusable:
    """A flow that could not be loaded, and when that was tried."""

    reason: str
    tried_s: float


class Arms:
    """Flows by digest. `prepare` is called by one thread, `flow` by any."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._found: OrderedDict[str, LoadedFlow | Unusable] = OrderedDict()
        self._loading: set[str] = set()
        self._loaders = ThreadPoolExecutor(2, thread_name_prefix="load-release")

    def prepare(self, arm: Arm) -> bool:
        """See to it that the arm's flow gets loaded; whether that is over, well or not."""
        with self._lock:
            found = self._found.get(arm.serves_digest)
            if isinstance(found, LoadedFlow):
                self._found.move_to_end(arm.serves_digest)
                return True
            if arm.serves_digest not in self._loading and (found is None or self._is_old(found)):
                self._loading.add(arm.serves_digest)
                self._loaders.submit(self._load, arm).add_done_callback(_complain)
            return found is not None

    @property
    def has_unusable(self) -> bool:
        """Whether a flow waits for another try."""
        with self._lock:
            return any(isinstance(found, Unusable) for found in self._found.values())

    def flow(self, arm: Arm, endpoint: str) -> LoadedFlow:
        """Raises: ReleaseUnusable."""
        found = self._found.get(arm.serves_digest)
        if isinstance(found, LoadedFlow):
            return found
        reason = "it is not loaded yet" if found is None else found.reason
        raise ReleaseUnusable(endpoint=endpoint, number=arm.number, reason=reason)

    def forget_all_but(self, named: set[str]) -> None:
        """Let go of the flows that no route names, but for those that were named last."""
        with self._lock:
            unnamed = [digest for digest in self._found if digest not in named]
            for digest in unnamed[: max(0, len(unnamed) - KEPT_WARM)]:
                del self._found[digest]

    def close(self) -> None:
        self._loaders.shutdown(wait=True, cancel_futures=True)

    def _is_old(self, found: LoadedFlow | Unusable) -> bool:
        return isinstance(found, Unusable) and self._workspace.clock.monotonic_s() - found.tried_s > RETRY_AFTER_S

    def _load(self, arm: Arm) -> None:
        found: LoadedFlow | Unusable
        try:
            found = load_frozen(self._workspace, arm.serves_digest)
        except Exception as error:  # importing a user's Python can fail in any way; the arm then fails, not the gateway
            reason = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
            log.exception("release_unusable", release=arm.release, serves=arm.serves)
            found = Unusable(reason, self._workspace.clock.monotonic_s())
        with self._lock:
            self._found[arm.serves_digest] = found
            self._loading.discard(arm.serves_digest)
        self._workspace.bell(BELL).ring()


def _complain(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("loader_failed", exc_info=error)
