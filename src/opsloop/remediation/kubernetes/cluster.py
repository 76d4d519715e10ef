"""The few verbs of the Kubernetes API that repairs need, through the official client.

Every change is a JSON patch that also sets `metadata.resourceVersion` to the one that was read: the server answers 409
when somebody was faster. `dryRun=All` lets it run its whole admission and store nothing.
Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ (resource versions, dry run).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.core.workspace import Workspace
from opsloop.remediation.kubernetes.errors import (
    ChangedMeanwhile,
    ClusterAway,
    ClusterRefuses,
    ClusterRejects,
    GoneFromCluster,
    NoCluster,
    NotOurs,
)
from opsloop.remediation.kubernetes.settings import KubernetesSettings

IN_CLUSTER = "in-cluster"
FIELD_MANAGER = "opsloop"
_SAID_CHARS = 300
_VERBS = {
    "deployment": "namespaced_deployment",
    "statefulset": "namespaced_stateful_set",
    "daemonset": "namespaced_daemon_set",
    "node": "node",
}
Thing = dict[str, Any]
Patch = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Named:
    """A thing in a cluster. Args: noun: `deployment`, `statefulset`, `daemonset` or `node`; a node has no namespace."""

    noun: str
    name: str
    namespace: str = ""

    @property
    def shown(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def place(self) -> dict[str, str]:
        return {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})


class Cluster:
    """Opened by `cluster`; each call is one request."""

    def __init__(self, api: Any, timeout_s: float) -> None:
        from kubernetes import client  # heavy, and an extra

        self._apps, self._core, self._failed = client.AppsV1Api(api), client.CoreV1Api(api), client.ApiException
        self._timeout_s = timeout_s

    def read(self, named: Named) -> Thing:
        """Raises: GoneFromCluster, ClusterRefuses, ClusterAway."""
        return self._asked(named, "read", self._verb("read", named), **named.place)

    def patch(self, named: Named, read: Thing, changes: Patch, *, is_dry: bool = False) -> Thing:
        """The thing after the change, or as it would be. Args: read: it, as it was read.

        Raises: ChangedMeanwhile, GoneFromCluster, ClusterRefuses, ClusterRejects, ClusterAway.
        """
        version = read["metadata"]["resourceVersion"]
        body = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}, *changes]
        how = {"body": body, "field_manager": FIELD_MANAGER} | ({"dry_run": "All"} if is_dry else {})
        return self._asked(named, "patch", self._verb("patch", named), **named.place, **how)

    def replica_sets(self, deployment: Named, read: Thing) -> list[Thing]:
        """Those that a deployment owns."""
        chosen = read["spec"]["selector"].get("matchLabels", {})
        selector = ",".join(f"{key}={value}" for key, value in chosen.items())
        verb = self._apps.list_namespaced_replica_set
        found = self._asked(deployment, "list", verb, namespace=deployment.namespace, label_selector=selector)
        uid = read["metadata"]["uid"]
        return [each for each in found["items"] if _is_owned(each, uid)]

    def _verb(self, verb: str, named: Named) -> Callable[..., Any]:
        api = self._core if named.noun == "node" else self._apps
        found: Callable[..., Any] = getattr(api, f"{verb}_{_VERBS[named.noun]}")
        return found

    def _asked(self, named: Named, verb: str, ask: Callable[..., Any], **how: Any) -> Thing:
        from urllib3.exceptions import HTTPError  # comes with the client

        try:
            answer = ask(**how, _preload_content=False, _request_timeout=self._timeout_s)
            found: Thing = json.loads(answer.data)
        except self._failed as error:
            raise _error(named, verb, error.status, error.body) from None
        except (HTTPError, OSError, ValueError) as error:
            raise ClusterAway(said=type(error).__name__) from None
        return found


@contextmanager
def cluster(workspace: Workspace) -> Iterator[Cluster]:
    """The cluster of the settings. Raises: NoCluster, ExtraNeeded."""
    settings = workspace.section(KubernetesSettings)
    where = settings.remediation_kubeconfig
    if not where:
        wanted = f"the path of a kubeconfig, or {IN_CLUSTER}"
        raise NoCluster(field="setting remediation_kubeconfig", value=where, wanted=wanted)
    try:
        from kubernetes import client, config  # heavy, and an extra
    except ImportError:
        raise ExtraNeeded(what="a repair on Kubernetes", extra="kubernetes") from None
    configuration = client.Configuration()
    configuration.retries = 0
    try:
        if where == IN_CLUSTER:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(config_file=where, client_configuration=configuration)
    except Exception as error:  # noqa: BLE001 (the client says in many ways that a file is no kubeconfig)
        wanted = f"the path of a kubeconfig, or {IN_CLUSTER} ({type(error).__name__})"
        raise NoCluster(field="setting remediation_kubeconfig", value=where, wanted=wanted) from None
    with client.ApiClient(configuration) as api:
        yield Cluster(api, settings.remediation_kubernetes_timeout_s)


def check_ours(workspace: Workspace, named: Named) -> None:
    """Raises: NotOurs."""
    settings = workspace.section(KubernetesSettings)
    if named.noun == "node":
        noun, name, setting, allowed = "node", named.name, "remediation_nodes", settings.remediation_nodes
    else:
        noun, name, setting = "namespace", named.namespace, "remediation_namespaces"
        allowed = settings.remediation_namespaces
    if not any(fnmatchcase(name, pattern) for pattern in allowed):
        raise NotOurs(noun=noun, name=name, setting=setting, allowed=", ".join(allowed) or "none")


def revision(read: Thing) -> str:
    """What it is meant to be, as a text that differs when that does; what it reports of itself plays no part."""
    metadata = read["metadata"]
    spec = f" unschedulable {read['spec'].get('unschedulable', False)}" if read.get("kind") == "Node" else ""
    return f"uid {metadata.get('uid')}, generation {metadata.get('generation', 0)}{spec}"


def _is_owned(read: Thing, uid: str) -> bool:
    owners: Sequence[Mapping[str, Any]] = read["metadata"].get("ownerReferences") or ()
    return any(each.get("uid") == uid and each.get("controller") for each in owners)


def _error(named: Named, verb: str, status: int | None, body: object) -> Exception:
    said = _said(body)
    facts = {"noun": named.noun, "name": named.shown}
    if status == 404:
        return GoneFromCluster(**facts)
    if status == 409:
        return ChangedMeanwhile(**facts)
    if status in (401, 403):
        return ClusterRefuses(**facts, verb=verb, status=status, said=said)
    if status is not None and 400 <= status < 500 and status != 429:
        return ClusterRejects(**facts, status=status, said=said)
    return ClusterAway(said=f"{status} {said}")


def _said(body: object) -> str:
    """The message of a `Status`, on one line."""
    try:
        text = json.loads(body if isinstance(body, str | bytes) else "").get("message", "")
    except (ValueError, AttributeError):
        text = ""
    return " ".join("".join(each if each.isprintable() else " " for each in str(text)[:_SAID_CHARS]).split())
