"""Samples as spans, and what the LLM calls of other code cost."""
