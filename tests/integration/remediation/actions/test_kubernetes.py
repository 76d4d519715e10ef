"""Repairs on Kubernetes against a process that speaks its API: dry run, precondition, rollout status, undo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput, NotFound, Unavailable
from opsloop.core.workspace import Workspace
from opsloop.incidents.models import Observed, Subject
from opsloop.remediation.actions import kubernetes_cordon, kubernetes_restart, kubernetes_scale, kubernetes_undo_rollout
from opsloop.remediation.actions.action import Outside
from opsloop.remediation.actions.workload import changed
from opsloop.remediation.kubernetes.cluster import Named, cluster
from opsloop.remediation.kubernetes.errors import ChangedMeanwhile, ClusterRefuses, ClusterRejects, NoEarlierTemplate
from opsloop.remediation.kubernetes.settings import KubernetesSettings
from opsloop.remediation.models import Remediation, State
from tests import kubernetes_api
from tests.integration.remediation import acting

pytest.importorskip("kubernetes")
CHAT: dict[str, Any] = {"namespace": "shop", "name": "chat"}
NAMED = Named("deployment", "chat", "shop")


@dataclass
class Shop:
    """A namespace with the deployment `chat`, and the platform that may repair it."""

    workspace: Workspace
    clock: FakeClock
    monkeypatch: pytest.MonkeyPatch
    url: str

    def post(self, path: str, body: Any = None) -> Any:
        return httpx.post(f"{self.url}/-/{path}", json=body).raise_for_status().json()

    def get(self, path: str = "/apis/apps/v1/namespaces/shop/deployments/chat") -> Any:
        headers = {"authorization": f"Bearer {kubernetes_api.TOKEN}"}
        return httpx.get(self.url + path, headers=headers).raise_for_status().json()

    def asked(self, verb: str = "PATCH") -> list[Any]:
        return [each for each in self.post("look")["asked"] if each["verb"] == verb]

    def image(self) -> str:
        return str(self.get()["spec"]["template"]["spec"]["containers"][0]["image"])

    def roll_out(self, image: str) -> None:
        """What a deployment of a team does."""
        found = self.get()
        found["spec"]["template"]["spec"]["containers"][0]["image"] = image
        found["metadata"]["generation"] += 1
        self.post("put", found)
        self.post("reconcile")

    def connect(self, token: str = kubernetes_api.TOKEN, url: str = "", **settings: Any) -> None:
        file = Path(self.workspace.data_dir) / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": url or self.url}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        file.write_text(json.dumps(config))
        named: dict[str, Any] = {"remediation_namespaces": ["shop"], "remediation_nodes": ["worker-*"]}
        acting.set_section(self.workspace, KubernetesSettings(remediation_kubeconfig=str(file), **named | settings))

    def proposed(self, action: str, **parameters: Any) -> Remediation:
        seen = Observed("alertmanager", "alert", "Down", "page", Subject(service="chat"), "down", self.clock.now())
        with acting.only(self.monkeypatch, acting.Trying(action, parameters)):
            return acting.proposed(self.workspace, acting.open_incident(self.workspace, seen))

    def repaired(self, action: str, **parameters: Any) -> Remediation:
        asked = self.proposed(action, **parameters)
        assert asked.preview is not None, asked.why_level
        acting.approved(self.workspace, asked)
        return acting.stepped(self.workspace, asked)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with kubernetes_api.served() as url:
        yield url


@pytest.fixture
def shop(workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, api: str) -> Shop:
    found = Shop(workspace, clock, monkeypatch, api)
    found.post("clear")
    for thing in (workload("Deployment", "chat"), workload("StatefulSet", "store"), workload("DaemonSet", "agent")):
        found.post("put", thing)
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}, "spec": {"podCIDR": "10.0.0.0/24"}}
    found.post("put", node)
    found.post("reconcile")
    found.connect()
    return found


def workload(kind: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "registry.example/chat:1"}]},
        },
    }
    spec |= {} if kind == "DaemonSet" else {"replicas": 3}
    spec |= {"serviceName": name} if kind == "StatefulSet" else {}
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def test_a_scale_is_tried_dry_done_with_a_precondition_and_taken_back(shop: Shop) -> None:
    asked = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    assert asked.preview is not None
    assert asked.preview.changes == ("deployment shop/chat: replicas 3 becomes 5",)
    assert shop.asked()[-1]["query"]["dryRun"] == "All"
    assert shop.get()["spec"]["replicas"] == 3
    acting.approved(shop.workspace, asked)
    assert acting.stepped(shop.workspace, asked).state is State.CHECKING
    assert shop.get()["spec"]["replicas"] == 5
    sent = shop.asked()[-1]
    assert "dryRun" not in sent["query"]
    assert sent["body"][0]["path"] == "/metadata/resourceVersion"
    going_on = acting.stepped(shop.workspace, asked)
    assert [each.verdict for each in going_on.findings if each.check == "kubernetes.scale"] == ["unclear"]
    shop.post("reconcile")
    through = acting.stepped(shop.workspace, asked)
    assert [each.sentence for each in through.findings if each.check == "kubernetes.scale"] == [
        "deployment shop/chat: 5 of 5 pods are available, 5 of the newest template"
    ]
    assert acting.undone(shop.workspace, asked).state is State.UNDONE
    assert shop.get()["spec"]["replicas"] == 3


def test_a_change_that_gets_stuck_is_taken_back_by_itself(shop: Shop) -> None:
    done = shop.repaired("kubernetes.scale", **CHAT, replicas=9)
    shop.post("reconcile", {"is_stuck": True})
    stuck = acting.stepped(shop.workspace, done)
    assert stuck.state is State.UNDOING
    assert "did not become ready within its progress deadline" in stuck.outcome
    assert acting.stepped(shop.workspace, done).state is State.UNDONE
    assert shop.get()["spec"]["replicas"] == 3


def test_an_undo_leaves_what_somebody_else_scaled_since(shop: Shop) -> None:
    done = shop.repaired("kubernetes.scale", **CHAT, replicas=5)
    found = shop.get()
    found["spec"]["replicas"] = 7
    shop.post("put", found)
    after = acting.undone(shop.workspace, done)
    assert after.state is State.UNKNOWN
    assert "has 7 replicas and not the 5 that the repair gave it" in after.outcome
    assert shop.get()["spec"]["replicas"] == 7


def test_an_approval_is_for_what_was_meant_then_whatever_the_status_says(shop: Shop) -> None:
    first = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    acting.approved(shop.workspace, first)
    shop.post("reconcile")  # a new resource version, the same generation
    assert acting.stepped(shop.workspace, first).state is State.CHECKING


def test_an_approval_is_not_for_what_was_rolled_out_after_it(shop: Shop) -> None:
    asked = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    acting.approved(shop.workspace, asked)
    shop.roll_out("registry.example/chat:2")
    assert acting.stepped(shop.workspace, asked).state is State.VOID
    assert shop.get()["spec"]["replicas"] == 3


@pytest.mark.parametrize(("kind", "name"), [("deployment", "chat"), ("statefulset", "store"), ("daemonset", "agent")])
def test_a_restart_done_twice_starts_pods_once(shop: Shop, kind: str, name: str) -> None:
    done = shop.repaired("kubernetes.restart", namespace="shop", kind=kind, name=name)
    assert done.state is State.CHECKING
    path = f"/apis/apps/v1/namespaces/shop/{kind}s/{name}"
    once = shop.get(path)
    assert once["spec"]["template"]["metadata"]["annotations"] == {kubernetes_restart.ANNOTATION: done.id}
    action = kubernetes_restart.ACTION
    action.act(shop.workspace, action.parse(done.parameters), key=done.id, why="again")
    assert shop.get(path)["metadata"]["generation"] == once["metadata"]["generation"]


def test_a_rollout_goes_back_one_revision_and_forward_again(shop: Shop) -> None:
    shop.roll_out("registry.example/chat:2")
    done = shop.repaired("kubernetes.undo_rollout", **CHAT)
    assert done.preview is not None
    assert done.preview.sentence == "deployment shop/chat runs revision 1 again, instead of 2"
    assert done.preview.changes == ("main: image registry.example/chat:2 becomes registry.example/chat:1",)
    assert shop.image() == "registry.example/chat:1"
    assert shop.get()["spec"]["template"]["metadata"]["labels"] == {"app": "chat"}
    shop.post("reconcile")
    assert acting.undone(shop.workspace, done).state is State.UNDONE
    assert shop.image() == "registry.example/chat:2"


def test_an_undo_of_a_rollout_leaves_what_was_rolled_out_since(shop: Shop) -> None:
    shop.roll_out("registry.example/chat:2")
    done = shop.repaired("kubernetes.undo_rollout", **CHAT)
    shop.roll_out("registry.example/chat:3")
    assert acting.undone(shop.workspace, done).state is State.UNKNOWN
    assert shop.image() == "registry.example/chat:3"


def test_a_first_rollout_has_nothing_to_go_back_to(shop: Shop) -> None:
    action = kubernetes_undo_rollout.ACTION
    with pytest.raises(NoEarlierTemplate, match="no revision before 1"):
        action.preview(shop.workspace, action.parse(CHAT))


def test_a_node_is_cordoned_and_uncordoned(shop: Shop) -> None:
    done = shop.repaired("kubernetes.cordon", node="worker-1")
    assert shop.get("/api/v1/nodes/worker-1")["spec"]["unschedulable"] is True
    assert acting.undone(shop.workspace, done).state is State.UNDONE
    assert "unschedulable" not in shop.get("/api/v1/nodes/worker-1")["spec"]


def test_somebody_who_is_faster_is_noticed(shop: Shop) -> None:
    with cluster(shop.workspace) as there:
        read = there.read(NAMED)
        shop.roll_out("registry.example/chat:2")
        with pytest.raises(ChangedMeanwhile):
            changed(there, NAMED, read, [{"op": "add", "path": "/spec/replicas", "value": 1}])
    assert shop.get()["spec"]["replicas"] == 3


def test_only_what_the_settings_name_is_touched(shop: Shop) -> None:
    shop.connect(remediation_namespaces=["other-*"], remediation_nodes=[])
    before = len(shop.asked("GET"))
    tries: tuple[tuple[Outside[Any], dict[str, Any]], ...] = (
        (kubernetes_restart.ACTION, CHAT),
        (kubernetes_scale.ACTION, CHAT | {"replicas": 2}),
        (kubernetes_undo_rollout.ACTION, CHAT),
        (kubernetes_cordon.ACTION, {"node": "worker-1"}),
    )
    for action, given in tries:
        with pytest.raises(Denied, match="not among those that repairs may touch"):
            action.preview(shop.workspace, action.parse(given))
        with pytest.raises(Denied):
            action.act(shop.workspace, action.parse(given), key="k", why="w")
    assert len(shop.asked("GET")) == before


def test_what_the_cluster_says_is_told(shop: Shop) -> None:
    scale = kubernetes_scale.ACTION
    with pytest.raises(NotFound, match="no deployment shop/none"):
        scale.preview(shop.workspace, scale.parse({"namespace": "shop", "name": "none", "replicas": 2}))
    with cluster(shop.workspace) as there, pytest.raises(ClusterRejects, match="422"):
        there.patch(NAMED, there.read(NAMED), [{"op": "add", "path": "/spec/replicas", "value": "many"}])
    shop.connect(token=kubernetes_api.READER)
    with pytest.raises(ClusterRefuses, match="patch deployment shop/chat"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))
    shop.connect(token="wrong")
    with pytest.raises(ClusterRefuses, match="401"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))
    shop.connect(url="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))
    acting.set_section(shop.workspace, KubernetesSettings(remediation_namespaces=["shop"]))
    with pytest.raises(InvalidInput, match="setting remediation_kubeconfig"):
        scale.preview(shop.workspace, scale.parse(CHAT | {"replicas": 2}))


@pytest.mark.parametrize("name", ["", "a/b", "../x", "A", "a b", "-a", "a" * 300, "a?dryRun=All"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"kubernetes\.restart: name"):
        kubernetes_restart.ACTION.parse({"namespace": "shop", "name": name})


def test_a_restart_whose_process_was_killed_is_done_again(shop: Shop) -> None:
    asked = shop.proposed("kubernetes.restart", **CHAT)
    acting.approved(shop.workspace, asked)
    acting.announced(shop.workspace, asked)
    assert acting.stepped(shop.workspace, asked).state is State.CHECKING
    annotations = shop.get()["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {kubernetes_restart.ANNOTATION: asked.id}


def test_a_scale_whose_process_was_killed_is_left_to_a_person(shop: Shop) -> None:
    asked = shop.proposed("kubernetes.scale", **CHAT, replicas=5)
    acting.approved(shop.workspace, asked)
    acting.announced(shop.workspace, asked)
    assert acting.stepped(shop.workspace, asked).state is State.UNKNOWN
    assert shop.get()["spec"]["replicas"] == 3


def test_a_cluster_that_is_away_while_a_repair_is_checked_is_waited_for(shop: Shop) -> None:
    done = shop.repaired("kubernetes.restart", **CHAT)
    shop.connect(url="http://127.0.0.1:9")
    found = acting.stepped(shop.workspace, done)
    assert found.state is State.CHECKING
    assert [each.verdict for each in found.findings if each.check == "kubernetes.restart"] == ["unclear"]
