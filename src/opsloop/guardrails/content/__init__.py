"""Harm in texts: hate, harassment, violence, self-harm and more, by word classes, rules and a light model."""
