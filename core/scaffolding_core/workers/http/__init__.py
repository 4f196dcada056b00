"""Requests over HTTP, with a limit on each wait, a typed error for each failure, and secrets kept."""
