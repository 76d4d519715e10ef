"""Ten minutes of everything that can go wrong, under load: see `__main__`."""
