"""A collection's vectors: who makes them, and how they follow what the collection holds."""
