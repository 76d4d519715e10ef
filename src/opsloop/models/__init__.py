"""Trained models: the registry, their bundles, and how they run."""
