"""Texts as vectors: the offline default and any OpenAI-compatible server behind one port."""
