"""Support tickets about answers, taken in from a help desk."""
