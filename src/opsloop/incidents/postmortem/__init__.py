"""A draft of what is written after an incident, from its timeline."""
