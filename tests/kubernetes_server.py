"""A real Kubernetes API server with its controllers and etcd, as processes of their own; no node, no scheduler.

Who has the programs `kube-apiserver`, `kube-controller-manager` and `etcd` in PATH, or names them in KUBE_APISERVER,
KUBE_CONTROLLER_MANAGER and ETCD, has these tests; elsewhere they are skipped. In place of kubelets a thread says that
pods run and are ready, until it is told to let them wait.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from kubernetes import client, config

from tests.certificates import self_signed

CONTROLLERS = "deployment,replicaset,statefulset,daemonset,namespace,serviceaccount,garbagecollector"
START_S = 120.0
Thing = dict[str, Any]


def program(name: str) -> str:
    """The path of one of the programs; skips the test without it."""
    variable = name.upper().replace("-", "_")
    found = os.environ.get(variable) or shutil.which(name)
    if not found:
        pytest.skip(f"no {name} on this machine: install it, or name it in {variable}")
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Server:
    """Where it listens, and the bearer tokens of an administrator and of somebody who may read only."""

    url: str
    authority: Path
    admin: str = field(default_factory=lambda: secrets.token_hex(16))
    reader: str = field(default_factory=lambda: secrets.token_hex(16))
    pods_come: threading.Event = field(default_factory=threading.Event)
    """Set: pods are said to be ready as they come."""

    def kubeconfig(self, folder: Path, token: str = "") -> Path:
        found = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "certificate-authority": str(self.authority)}}],
            "users": [{"name": "u", "user": {"token": token or self.admin}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        file = folder / f"kubeconfig-{secrets.token_hex(4)}"
        file.write_text(json.dumps(found))
        return file

    def api(self, folder: Path) -> client.ApiClient:
        configuration = client.Configuration()
        config.load_kube_config(config_file=str(self.kubeconfig(folder)), client_configuration=configuration)
        return client.ApiClient(configuration)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """All three, once the API says that it is ready."""
    names = ("etcd", "kube-apiserver", "kube-controller-manager")
    etcd, apiserver, controllers = (program(name) for name in names)
    key, certificate = self_signed(folder, x509.IPAddress(ip_address("127.0.0.1")))
    server = Server(f"https://127.0.0.1:{free_port()}", certificate)
    server.pods_come.set()
    (folder / "tokens.csv").write_text(f'{server.admin},admin,1,"system:masters"\n{server.reader},reader,2\n')
    store, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as stack:
        stack.enter_context(
            _running(
                folder / "etcd.log",
                [etcd, "--data-dir", str(folder / "etcd"), "--listen-client-urls", store],
                ["--advertise-client-urls", store, "--listen-peer-urls", peers, "--unsafe-no-fsync"],
            )
        )
        said = stack.enter_context(
            _running(
                folder / "apiserver.log",
                [apiserver, "--etcd-servers", store, "--bind-address", "127.0.0.1", "--cert-dir", str(folder)],
                ["--secure-port", server.url.rpartition(":")[2], "--service-cluster-ip-range", "10.0.0.0/24"],
                ["--tls-cert-file", str(certificate), "--tls-private-key-file", str(key)],
                ["--token-auth-file", str(folder / "tokens.csv"), "--authorization-mode", "RBAC"],
                ["--service-account-issuer", "https://opsloop.test", "--service-account-key-file", str(certificate)],
                ["--service-account-signing-key-file", str(key), "--disable-admission-plugins", "ServiceAccount"],
            )
        )
        api = stack.enter_context(server.api(folder))
        _wait(api, said, folder / "apiserver.log")
        stack.enter_context(
            _running(
                folder / "controllers.log",
                [controllers, "--kubeconfig", str(server.kubeconfig(folder)), "--controllers", CONTROLLERS],
                ["--bind-address", "127.0.0.1", "--secure-port", str(free_port()), "--cert-dir", str(folder)],
                ["--leader-elect=false"],
            )
        )
        stopping = threading.Event()
        kubelets = threading.Thread(target=_say_ready, args=(api, server.pods_come, stopping))
        kubelets.start()
        yield server
        stopping.set()
        kubelets.join()


@contextmanager
def _running(log: Path, *words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen([word for part in words for word in part], stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(api: client.ApiClient, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            api.call_api("/readyz", "GET", auth_settings=["BearerToken"], response_type="str")
        except Exception:  # noqa: BLE001 (refused, reset, 403 until the roles are there, 500 until all is ready)
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"the API server is not ready:\n{log.read_text(errors='replace')[-3000:]}")


def _say_ready(api: client.ApiClient, pods_come: threading.Event, stopping: threading.Event) -> None:
    """What kubelets report of pods, a look five times a second."""
    core = client.CoreV1Api(api)
    while not stopping.wait(0.2):
        if not pods_come.is_set():
            continue
        for pod in core.list_pod_for_all_namespaces().items:
            if pod.status.phase != "Running":
                _report(core, pod.metadata.namespace, pod.metadata.name)


def _report(core: client.CoreV1Api, namespace: str, name: str) -> None:
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    try:
        core.patch_namespaced_pod_status(name, namespace, {"status": status})
    except client.ApiException as error:
        if error.status not in (404, 409):  # it is gone, or somebody was faster
            raise
