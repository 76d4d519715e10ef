"""From the bytes of a file to its text, by kind: one module each, found in `kinds`."""
