"""Repairs of a workflow or manifest, one file per kind; each changes the loaded document or declines."""
