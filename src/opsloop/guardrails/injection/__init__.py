"""Direct prompt injection: texts that try to make a model break its instructions, by rules and a light model."""
