"""Trained models behind endpoints: rows in, predictions out."""
