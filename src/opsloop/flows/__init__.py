"""Prompt flows: their formats read, their nodes run, their rows batched, their folders frozen."""
