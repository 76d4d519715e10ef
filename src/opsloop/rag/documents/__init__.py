"""Documents of a collection: stored, read, listed, cut anew."""
