"""HTTP/1.1 as calls to model servers need it, and no more: a third of the CPU of a library for everything."""
