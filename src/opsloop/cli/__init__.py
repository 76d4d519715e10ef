"""The command line: one file per noun, text only; it talks to the client and decides nothing."""
