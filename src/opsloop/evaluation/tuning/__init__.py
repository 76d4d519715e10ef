"""Which settings of a collection answer its questions best: chosen on some questions, measured on the others."""
