"""The Open Inference Protocol over gRPC: a translation of the routes under /v2, which do the work."""
