"""A model's traffic in parts: by the categories of an input, or by ranges of it."""
