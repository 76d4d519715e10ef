"""The passages of a collection that match a question."""
