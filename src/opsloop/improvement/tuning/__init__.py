"""Data to fine-tune a model with, of answers that people liked or corrected."""
