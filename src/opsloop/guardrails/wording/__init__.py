"""What texts are read as: passages, without disguises; and the light models that score them."""
