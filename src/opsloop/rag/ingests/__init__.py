"""Many documents at once: staged, then read and stored by a durable job, each with a state of its own."""
