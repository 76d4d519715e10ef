"""Settings of repairs on Kubernetes."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class KubernetesSettings(Section):
    remediation_kubeconfig: str | None = Field(
        None,
        description="Cluster that repairs act on, as the path of a kubeconfig, or in-cluster for the service account "
        "of the pod; unset: none.",
    )
    remediation_namespaces: list[str] = Field(
        [], description="Namespaces that repairs may act in, as a JSON list of patterns; unset: none."
    )
    remediation_nodes: list[str] = Field(
        [], description="Nodes that repairs may cordon, as a JSON list of patterns; unset: none."
    )
    remediation_kubernetes_timeout_s: float = Field(
        10, gt=0, le=120, description="Time that the Kubernetes API has to answer, in seconds."
    )
