"""Documents: ingest, retrieve, answer with citations that are exact spans of what is stored."""
