"""Language models: one port, an OpenAI-compatible server behind it or the offline engine."""
