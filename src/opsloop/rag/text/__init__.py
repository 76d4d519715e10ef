"""Words of a text, whatever document it came from: terms, sentences, chunks, figures, and what is safe to show."""
