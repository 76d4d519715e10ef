"""What the reference pages are made from."""
