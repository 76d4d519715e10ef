"""Repairs on a real Kubernetes API server and its controllers, where there is one to run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import NotFound
from opsloop.core.workspace import Workspace
from opsloop.incidents.models import Observed, Subject
from opsloop.remediation.actions import kubernetes_restart, kubernetes_scale
from opsloop.remediation.actions.workload import changed
from opsloop.remediation.kubernetes.cluster import Named, cluster
from opsloop.remediation.kubernetes.errors import ChangedMeanwhile, ClusterRefuses, ClusterRejects
from opsloop.remediation.kubernetes.settings import KubernetesSettings
from opsloop.remediation.models import Remediation, State
from tests.integration.remediation import acting

kubernetes_server = pytest.importorskip("tests.kubernetes_server", reason="no Kubernetes client: install kubernetes")
client = pytest.importorskip("kubernetes.client")
CHAT: dict[str, Any] = {"namespace": "shop", "name": "chat"}
NAMED = Named("deployment", "chat", "shop")
PATIENCE_S = 60.0
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with kubernetes_server.served(tmp_path_factory.mktemp("kubernetes")) as found:
        yield found


@pytest.fixture(scope="module")
def apps(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster with one node."""
    with server.api(tmp_path_factory.mktemp("client")) as api:
        core = client.CoreV1Api(api)
        core.create_node({"metadata": {"name": "worker-1"}})
        core.patch_node("worker-1", {"spec": {"taints": None}})
        yield client.AppsV1Api(api)


@dataclass
class Shop:
    """A namespace of its own for a test, and the platform that may repair what is in it."""

    workspace: Workspace
    clock: FakeClock
    monkeypatch: pytest.MonkeyPatch
    server: Any
    apps: Any

    def deploy(self, noun: str = "deployment", image: str = "registry.example/chat:1", **spec: Any) -> None:
        labels = {"app": "chat"}
        body: dict[str, Any] = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}},
        }
        body |= {"replicas": 3} if noun != "daemonset" else {}
        body |= {"serviceName": "chat"} if noun == "statefulset" else {}
        verb = getattr(self.apps, f"create_namespaced_{KINDS[noun].lower().replace('set', '_set')}")
        verb("shop", {"kind": KINDS[noun], "metadata": {"name": "chat"}, "spec": body | spec})
        self.until(lambda: self.is_through(noun))

    def roll_out(self, image: str) -> None:
        """What a deployment of a team does."""
        container = {"name": "main", "image": image}
        change = {"spec": {"template": {"spec": {"containers": [container]}}}}
        self.apps.patch_namespaced_deployment("chat", "shop", change)

    def read(self, noun: str = "deployment") -> Any:
        with cluster(self.workspace) as there:
            return there.read(Named(noun, "chat", "shop"))

    def image(self) -> str:
        return str(self.read()["spec"]["template"]["spec"]["containers"][0]["image"])

    def is_through(self, noun: str = "deployment") -> bool:
        look = kubernetes_restart.ACTION
        found = look.look(self.workspace, look.parse({"namespace": "shop", "kind": noun, "name": "chat"}))
        return found is not None and found.verdict == "same"

    def until(self, holds: Callable[[], bool]) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < until_s, self.apps.read_namespaced_deployment("chat", "shop").status
            time.sleep(0.1)

    def connect(self, token: str = "") -> None:
        file = self.server.kubeconfig(Path(self.workspace.data_dir), token)
        named: dict[str, Any] = {"remediation_namespaces": ["shop"], "remediation_nodes": ["worker-*"]}
        acting.set_section(self.workspace, KubernetesSettings(remediation_kubeconfig=str(file), **named))

    def proposed(self, action: str, **parameters: Any) -> Remediation:
        seen = Observed("alertmanager", "alert", "Down", "page", Subject(service="chat"), "down", self.clock.now())
        with acting.only(self.monkeypatch, acting.Trying(action, parameters)):
            asked = acting.proposed(self.workspace, acting.open_incident(self.workspace, seen))
        assert asked.preview is not None, asked.why_level
        return asked

    def repaired(self, action: str, **parameters: Any) -> Remediation:
        asked = self.proposed(action, **parameters)
        acting.approved(self.workspace, asked)
        done = acting.stepped(self.workspace, asked)
        assert done.state is State.CHECKING, done.outcome
        return done


@pytest.fixture
def shop(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, server: Any, apps: Any
) -> Iterator[Shop]:
    core = client.CoreV1Api(apps.api_client)
    core.create_namespace({"metadata": {"name": "shop"}})
    found = Shop(workspace, clock, monkeypatch, server, apps)
    found.connect()
    yield found
    server.pods_come.set()
    core.delete_namespace("shop", grace_period_seconds=0)
    found.until(lambda: all(each.metadata.name != "shop" for each in core.list_namespace().items))


def test_a_scale_is_tried_dry_done_and_taken_back(shop: Shop) -> None:
    shop.deploy()
    asked = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    assert shop.read()["spec"]["replicas"] == 3
    acting.approved(shop.workspace, asked)
    assert acting.stepped(shop.workspace, asked).state is State.CHECKING
    assert shop.read()["spec"]["replicas"] == 5
    shop.until(shop.is_through)
    told = acting.stepped(shop.workspace, asked)
    assert [each.sentence for each in told.findings if each.check == "kubernetes.scale"] == [
        "deployment shop/chat: 5 of 5 pods are available, 5 of the newest template"
    ]
    assert acting.undone(shop.workspace, asked).state is State.UNDONE
    assert shop.read()["spec"]["replicas"] == 3


@pytest.mark.parametrize("noun", ["deployment", "statefulset", "daemonset"])
def test_a_restart_done_twice_starts_pods_once(shop: Shop, noun: str) -> None:
    shop.deploy(noun)
    done = shop.repaired("kubernetes.restart", namespace="shop", kind=noun, name="chat")
    once = shop.read(noun)
    assert once["spec"]["template"]["metadata"]["annotations"] == {kubernetes_restart.ANNOTATION: done.id}
    action = kubernetes_restart.ACTION
    action.act(shop.workspace, action.parse(done.parameters), key=done.id, why="again")
    assert shop.read(noun)["metadata"]["generation"] == once["metadata"]["generation"]
    shop.until(lambda: shop.is_through(noun))


def test_a_rollout_goes_back_one_revision_and_forward_again(shop: Shop) -> None:
    shop.deploy()
    shop.roll_out("registry.example/chat:2")
    shop.until(shop.is_through)
    done = shop.repaired("kubernetes.undo_rollout", **CHAT)
    assert done.preview is not None
    assert done.preview.changes == ("main: image registry.example/chat:2 becomes registry.example/chat:1",)
    assert shop.image() == "registry.example/chat:1"
    shop.until(shop.is_through)
    assert acting.undone(shop.workspace, done).state is State.UNDONE
    assert shop.image() == "registry.example/chat:2"


def test_a_rollout_whose_pods_do_not_come_is_taken_back_by_itself(shop: Shop) -> None:
    shop.deploy(progressDeadlineSeconds=2)
    shop.roll_out("registry.example/chat:2")
    shop.until(shop.is_through)
    shop.server.pods_come.clear()
    done = shop.repaired("kubernetes.undo_rollout", **CHAT)
    shop.until(lambda: acting.stepped(shop.workspace, done).state is not State.CHECKING)
    after = acting.stepped(shop.workspace, done)
    assert "did not become ready within its progress deadline" in after.outcome
    assert after.state is State.UNDONE
    assert shop.image() == "registry.example/chat:2"


def test_an_approval_is_not_for_what_was_rolled_out_after_it(shop: Shop) -> None:
    shop.deploy()
    asked = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    acting.approved(shop.workspace, asked)
    shop.roll_out("registry.example/chat:2")
    assert acting.stepped(shop.workspace, asked).state is State.VOID
    assert shop.read()["spec"]["replicas"] == 3


def test_somebody_who_is_faster_is_noticed(shop: Shop) -> None:
    shop.deploy()
    with cluster(shop.workspace) as there:
        read = there.read(NAMED)
        shop.roll_out("registry.example/chat:2")
        with pytest.raises(ChangedMeanwhile):
            changed(there, NAMED, read, [{"op": "add", "path": "/spec/replicas", "value": 1}])
    assert shop.read()["spec"]["replicas"] == 3


def test_a_node_is_cordoned_and_uncordoned(shop: Shop) -> None:
    core = client.CoreV1Api(shop.apps.api_client)
    done = shop.repaired("kubernetes.cordon", node="worker-1")
    assert core.read_node("worker-1").spec.unschedulable is True
    assert acting.undone(shop.workspace, done).state is State.UNDONE
    assert core.read_node("worker-1").spec.unschedulable is None


def test_what_the_cluster_says_is_told(shop: Shop) -> None:
    shop.deploy()
    scale = kubernetes_scale.ACTION
    with pytest.raises(NotFound, match="no deployment shop/none"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"name": "none", "replicas": 2}))
    with cluster(shop.workspace) as there, pytest.raises(ClusterRejects):
        there.patch(NAMED, there.read(NAMED), [{"op": "add", "path": "/spec/replicas", "value": -1}])
    shop.connect(token=shop.server.reader)
    with pytest.raises(ClusterRefuses, match="deployment shop/chat"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))
    shop.connect(token="wrong")
    with pytest.raises(ClusterRefuses, match="401"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))
