"""The formats of Prompt flow, each read into the same nouns."""
