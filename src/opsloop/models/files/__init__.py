"""Files of rows that a model predicts: read and written as streams, a broken row by itself."""
