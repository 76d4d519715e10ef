"""What the libraries of object stores need beside the variables that they read themselves."""

from __future__ import annotations

import os


def allows_http(place: str) -> dict[str, str]:
    """For an S3 that is addressed without TLS, as MinIO on this machine is: the libraries want that said twice."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return {"aws_allow_http": "true"} if place.startswith("s3") and endpoint.startswith("http://") else {}
