"""What broke and why: signals that belong together, diagnosis with evidence, root cause, and what was learned."""
