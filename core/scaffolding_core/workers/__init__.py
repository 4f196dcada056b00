"""The backends, one a file."""
