"""Being connected to Ray: to a cluster, or to a Ray on this machine that is there for the time of a run."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.errors import ExtraNeeded, Failed, InvalidInput, Unavailable

CONNECT_S = 5.0
STORE_BYTES = 128 * 1024 * 1024
"""Memory that a Ray on this machine shares between its processes; its own default is 0.3 of the machine's."""
# The paths of its sockets are below it, and a system takes some 100 characters.
_SHORT = "/tmp" if os.name == "posix" else None  # noqa: S108  # a folder of its own is made in it


class RayAway(Unavailable):
    template = "no Ray answers at {address}: {reason}"


class RayInUse(Failed):
    template = "this process is connected to Ray already; end that with ray.shutdown(), or use OPSLOOP_COMPUTE=local"


@contextmanager
def connected(settings: ComputeSettings, what: str) -> Iterator[int]:
    """A Ray that this process is connected to while the block runs; most workers that the settings allow on it.

    Args:
        what: is done there, for sentences: `running a batch`.
    Raises: ExtraNeeded, InvalidInput, RayAway, RayInUse.
    """
    _prepare(is_own=settings.ray_address is None)
    try:
        import ray  # an extra, and half a second
    except ImportError as error:
        raise ExtraNeeded(what=f"{what} on Ray (OPSLOOP_COMPUTE=ray)", extra="ray") from error

    if ray.is_initialized():
        raise RayInUse()
    if settings.ray_address is not None:
        _check(settings.ray_address)
    with _handlers_kept(), tempfile.TemporaryDirectory(prefix="opsloop-ray-", dir=_SHORT) as folder:
        try:
            _connect(ray, settings, folder)
            yield settings.ray_workers or _cpus(ray)
        finally:
            ray.shutdown()


def _prepare(*, is_own: bool) -> None:
    """What Ray reads in the environment when it is imported and started."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if not is_own:
        return
    # By itself Ray listens on all addresses of a Linux machine, metrics without asking who reads them. The first is
    # what makes it keep to the loopback address elsewhere; a port below 0 is none.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["AUTOSCALER_METRIC_PORT"] = "-1"
    if "RAY_AUTH_MODE" not in os.environ:  # else Ray makes a token in the user's home
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check(address: str) -> None:
    """Whether somebody listens there: Ray itself asks for two minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        wanted = "HOST:PORT of a cluster's head node; Opsloop runs on a machine of the cluster, not through Ray Client"
        raise InvalidInput(field="setting ray_address", value=address, wanted=wanted)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise _away(address, error) from error


def _away(address: str | None, error: Exception) -> RayAway:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return RayAway(address=f"{address} (OPSLOOP_RAY_ADDRESS)" if address else "this machine", reason=reason[0])


def _connect(ray: Any, settings: ComputeSettings, folder: str) -> None:
    # What rows print is kept from stdout, which belongs to the command's answer.
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if settings.ray_address is not None:
            ray.init(settings.ray_address, **quiet)
            return
        ray.init(
            "local",
            num_cpus=max(os.cpu_count() or 1, settings.ray_workers or 1),
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
            **quiet,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise _away(settings.ray_address, error) from error


def _cpus(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray puts a handler for SIGTERM of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
