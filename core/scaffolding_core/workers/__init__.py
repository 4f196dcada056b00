"""The backends: one a file, or a folder."""
