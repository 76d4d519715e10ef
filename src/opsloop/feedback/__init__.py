"""What people say about answers: thumbs, scores and comments, attached to request ids."""
