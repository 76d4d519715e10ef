"""Workloads and nodes of a Kubernetes cluster, by its API."""
