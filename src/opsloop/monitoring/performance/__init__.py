"""How well a model does while it serves: with labels where there are some, estimated where there are none."""
